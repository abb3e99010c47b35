package io.github.workerregistry.health;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerInfo;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.CompletionHandler;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Opens a TCP connection to the worker's host and port and closes it again. A worker that accepts the connection is
 * healthy.
 *
 * <p>This proves only that a process listens there: the kernel accepts connections also for a process that hangs.
 * Prefer {@link HttpHealthProbe} if the worker speaks HTTP. The url should contain an IP address: a host name is
 * resolved on the calling thread. Uses the JDK's default asynchronous channel group, which has daemon threads.
 *
 * @since 0.1
 */
public final class TcpHealthProbe implements HealthProbe {

    private TcpHealthProbe() {}

    /**
     * Creates a probe of the host and port in each worker's url.
     *
     * @return the probe
     */
    public static TcpHealthProbe create() {
        return new TcpHealthProbe();
    }

    @Override
    public CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
        requireNonNull(worker, "worker");
        HttpHealthProbe.requirePositive(timeout);
        URI url;
        try {
            url = URI.create(worker.url());
        } catch (IllegalArgumentException e) {
            return CompletableFuture.completedFuture(HealthStatus.unhealthy("cannot connect to " + e.getMessage()));
        }
        if (url.getHost() == null) {
            return CompletableFuture.completedFuture(HealthStatus.unhealthy("no host in " + worker.url()));
        }
        AsynchronousSocketChannel channel;
        try {
            channel = AsynchronousSocketChannel.open();
        } catch (IOException e) { // out of sockets, which says nothing about the worker
            return CompletableFuture.completedFuture(HealthStatus.unknown("cannot open a socket: " + e));
        }
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        answer.whenComplete((status, failure) -> close(channel)); // answered, or cancelled by the caller
        try {
            channel.connect(new InetSocketAddress(url.getHost(), port(url)), answer, new Connected());
        } catch (IllegalArgumentException e) { // no such port or host
            answer.complete(HealthStatus.unhealthy("cannot connect to " + worker.url() + ": " + e));
        }
        return answer;
    }

    /** The port of the url, or the default port of its scheme. */
    static int port(URI url) {
        if (url.getPort() >= 0) {
            return url.getPort();
        }
        return "https".equalsIgnoreCase(url.getScheme()) ? 443 : 80;
    }

    private static void close(AsynchronousSocketChannel channel) {
        try {
            channel.close();
        } catch (IOException ignored) {
            // nothing was sent, so nothing is lost
        }
    }

    private static final class Connected implements CompletionHandler<@Nullable Void, CompletableFuture<HealthStatus>> {
        @Override
        public void completed(@Nullable Void result, CompletableFuture<HealthStatus> answer) {
            answer.complete(HealthStatus.healthy());
        }

        @Override
        public void failed(Throwable failure, CompletableFuture<HealthStatus> answer) {
            answer.complete(HealthStatus.unhealthy(failure.toString()));
        }
    }
}
