package io.github.workerregistry.health;

import static io.github.workerregistry.internal.Checks.requirePath;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerInfo;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.ResponseInfo;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Sends {@code GET <worker url><path>}. A 2xx response with a complete body is healthy; any other response, and no
 * response, is unhealthy.
 *
 * <p>At most 64 KiB of the body are read and discarded. At most three redirects are followed, and only on the worker's
 * host and port; the timeout applies to each request. HTTP/1.1, no proxy unless the given client has one.
 *
 * <p>The client of JDK 17 never closes a connection on which it received a non-HTTP response; that of JDK 25 does. Use
 * a {@link TcpHealthProbe} for a worker that does not speak HTTP.
 *
 * @since 0.1
 */
public final class HttpHealthProbe implements HealthProbe {

    private static final int MAX_REDIRECTS = 3;

    private final String path;
    private final HttpClient client;

    private HttpHealthProbe(String path, HttpClient client) {
        this.path = path;
        this.client = client;
    }

    /**
     * Creates a probe with its own client. The JDK creates a selector thread and a pool for each {@link HttpClient}; to
     * control the threads, pass a client to {@link #at(String, HttpClient)}.
     *
     * @param path the path, starting with {@code /}, optionally with a query
     * @return the probe
     * @throws IllegalArgumentException if the path does not start with {@code /} or does not form a valid URI
     */
    public static HttpHealthProbe at(String path) {
        return at(
                path,
                HttpClient.newBuilder()
                        .version(Version.HTTP_1_1)
                        .proxy(HttpClient.Builder.NO_PROXY)
                        .build());
    }

    /**
     * Creates a probe that uses the hive's client and its threads.
     *
     * @param path the path, starting with {@code /}, optionally with a query
     * @param client the client; it must not follow redirects itself, because it would follow them to other hosts
     * @return the probe
     * @throws IllegalArgumentException if the path does not start with {@code /} or does not form a valid URI, or the
     *     client follows redirects
     */
    public static HttpHealthProbe at(String path, HttpClient client) {
        requireNonNull(path, "path");
        requireNonNull(client, "client");
        requirePath(path); // an illegal path fails here, not at each probe
        if (client.followRedirects() != Redirect.NEVER) {
            throw new IllegalArgumentException("client must not follow redirects, was " + client.followRedirects());
        }
        return new HttpHealthProbe(path, client);
    }

    @Override
    public CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
        requireNonNull(worker, "worker");
        requirePositive(timeout);
        try {
            return send(URI.create(worker.url() + path), timeout, MAX_REDIRECTS);
        } catch (IllegalArgumentException e) {
            return CompletableFuture.completedFuture(HealthStatus.unhealthy("invalid url: " + e.getMessage()));
        }
    }

    static void requirePositive(Duration timeout) {
        if (requireNonNull(timeout, "timeout").isZero() || timeout.isNegative()) {
            throw new IllegalArgumentException("timeout must be > 0, was " + timeout);
        }
    }

    private CompletableFuture<HealthStatus> send(URI target, Duration timeout, int redirectsLeft) {
        HttpRequest request = HttpRequest.newBuilder(target)
                .version(Version.HTTP_1_1)
                .timeout(timeout)
                .GET()
                .build();
        CompletableFuture<ResponseInfo> response = new CompletableFuture<>();
        CompletableFuture<?> exchange = client.sendAsync(request, info -> discardBody(info, response));
        exchange.whenComplete((result, failure) -> {
            if (failure != null) {
                response.completeExceptionally(failure);
            }
        });
        CompletableFuture<HealthStatus> answer = response.handle((info, failure) -> info == null
                        ? CompletableFuture.completedFuture(HealthStatus.unhealthy(reason(failure)))
                        : evaluate(target, info, timeout, redirectsLeft))
                .thenCompose(status -> status);
        answer.whenComplete((status, failure) -> {
            if (answer.isCancelled()) { // cancels the first request; one after a redirect runs into its timeout
                exchange.cancel(true);
            }
        });
        return answer;
    }

    /**
     * Discards the body and then completes {@code response}: here, because the client completes the exchange in the
     * JDK's common pool, which the hive may have saturated.
     */
    private static DiscardingSubscriber discardBody(ResponseInfo info, CompletableFuture<ResponseInfo> response) {
        DiscardingSubscriber body = new DiscardingSubscriber();
        body.getBody().whenComplete((nothing, failure) -> {
            if (failure == null) {
                response.complete(info);
            } else {
                response.completeExceptionally(failure);
            }
        });
        return body;
    }

    private CompletableFuture<HealthStatus> evaluate(
            URI requested, ResponseInfo info, Duration timeout, int redirectsLeft) {
        int code = info.statusCode();
        if (code / 100 == 2) {
            return CompletableFuture.completedFuture(HealthStatus.healthy());
        }
        Optional<URI> next = code / 100 == 3 && redirectsLeft > 0 ? redirect(requested, info) : Optional.empty();
        return next.isPresent()
                ? send(next.get(), timeout, redirectsLeft - 1)
                : CompletableFuture.completedFuture(HealthStatus.unhealthy("status " + code));
    }

    /** The target of a redirect, if it is on the requested host and port. */
    private static Optional<URI> redirect(URI requested, ResponseInfo info) {
        try {
            return info.headers()
                    .firstValue("Location")
                    .map(requested::resolve)
                    .filter(next -> requested.getScheme().equalsIgnoreCase(next.getScheme())
                            && requested.getHost().equalsIgnoreCase(next.getHost())
                            && next.getPort() == requested.getPort());
        } catch (IllegalArgumentException malformed) {
            return Optional.empty();
        }
    }

    private static String reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause.toString();
    }
}
