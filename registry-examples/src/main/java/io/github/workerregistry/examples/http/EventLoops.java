package io.github.workerregistry.examples.http;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.PoolOptions;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The event loops of a program, one for each processor: server, client and forwarding share them. */
public final class EventLoops {

    /** Larger than the default of 8 KiB: fewer pieces of a long body. */
    static final int MOST_PIECE = 64 * 1024;

    /** Of a request and of a response, in bytes. */
    static final int MOST_HEADERS = 16 * 1024;

    /** Servers close unused connections after 5 s and more. A client that is earlier never uses one at that moment. */
    private static final int KEEP_ALIVE_S = 2;

    /** To one server. */
    private static final int MOST_CONNECTIONS = 4096;

    private static final Logger log = LoggerFactory.getLogger(EventLoops.class);

    private static final long PATIENCE_S = 10;

    private EventLoops() {}

    /**
     * Starts them, on daemon threads.
     *
     * @return the event loops
     */
    public static Vertx start() {
        return Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(count())
                .setUseDaemonThread(true)
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
    }

    /** How many there are. */
    static int count() {
        return Math.max(2, Runtime.getRuntime().availableProcessors());
    }

    /**
     * A client for forwarded requests: one connection for each request under way, reused.
     *
     * @param vertx the event loops
     * @param connectTimeout how long a connection may take
     * @return the client
     */
    public static HttpClient client(Vertx vertx, Duration connectTimeout) {
        return vertx.httpClientBuilder()
                .with(new HttpClientOptions()
                        .setConnectTimeout((int) connectTimeout.toMillis())
                        .setKeepAliveTimeout(KEEP_ALIVE_S)
                        .setMaxHeaderSize(MOST_HEADERS)
                        .setMaxChunkSize(MOST_PIECE))
                .with(new PoolOptions().setHttp1MaxSize(MOST_CONNECTIONS)) // slots are the limit
                .withConnectHandler(connection -> connection.exceptionHandler(told -> {})) // by its request, too
                .build();
    }

    /**
     * Waits, on a thread that is no event loop.
     *
     * @param future what to wait for
     * @param <T> its result
     * @return the result
     * @throws ExecutionException if it failed, or took longer than 10 s
     */
    static <T> T await(Future<T> future) throws ExecutionException {
        try {
            return future.toCompletionStage().toCompletableFuture().get(PATIENCE_S, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new ExecutionException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ExecutionException(e);
        }
    }

    /**
     * Closes all servers, clients and connections.
     *
     * @param vertx the event loops
     */
    public static void close(Vertx vertx) {
        try {
            await(vertx.close());
        } catch (ExecutionException e) {
            log.debug("the event loops were not closed", e);
        }
    }
}
