package io.github.workerregistry.health;

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
 * Asks with {@code GET <worker url><path>}: any 2xx whose body comes to its end is healthy, all else and no answer is
 * not.
 *
 * <p>At most 64 KiB of the answer's body are read, and thrown away. A redirect is followed on the worker's own host and
 * port, at most three times, and never off it; each has the time that one has. HTTP/1.1, no proxy unless the host's
 * client has one.
 *
 * <p>The client of JDK 17 never closes a connection over which it was answered with something other than HTTP; that of
 * JDK 25 does. A worker that speaks no HTTP is better asked with a {@link TcpHealthProbe}.
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
     * A probe with a client of its own. The JDK gives each {@link HttpClient} a selector thread and a pool; a host that
     * wants to own its threads gives its client to {@link #at(String, HttpClient)}.
     *
     * @param path the path to ask for, starting with {@code /}, with a query if need be
     * @return the probe
     * @throws IllegalArgumentException if the path does not start with {@code /} or is no part of a valid URI
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
     * A probe that uses the host's client, and its threads.
     *
     * @param path the path to ask for, starting with {@code /}, with a query if need be
     * @param client the client; it must not follow redirects by itself, because it would follow them off the host
     * @return the probe
     * @throws IllegalArgumentException if the path does not start with {@code /} or is no part of a valid URI, or the
     *     client follows redirects
     */
    public static HttpHealthProbe at(String path, HttpClient client) {
        requireNonNull(path, "path");
        requireNonNull(client, "client");
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException("path must start with /, was " + path);
        }
        URI.create("http://127.0.0.1" + path); // an illegal path fails here, and not at each probe
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
            return ask(URI.create(worker.url() + path), timeout, MAX_REDIRECTS);
        } catch (IllegalArgumentException e) {
            return CompletableFuture.completedFuture(HealthStatus.unhealthy("cannot ask: " + e.getMessage()));
        }
    }

    static void requirePositive(Duration timeout) {
        if (requireNonNull(timeout, "timeout").isZero() || timeout.isNegative()) {
            throw new IllegalArgumentException("timeout must be > 0, was " + timeout);
        }
    }

    private CompletableFuture<HealthStatus> ask(URI target, Duration timeout, int redirectsLeft) {
        HttpRequest request = HttpRequest.newBuilder(target)
                .version(Version.HTTP_1_1)
                .timeout(timeout)
                .GET()
                .build();
        CompletableFuture<ResponseInfo> heard = new CompletableFuture<>();
        CompletableFuture<?> exchange = client.sendAsync(request, info -> telling(info, heard));
        exchange.whenComplete((response, failure) -> {
            if (failure != null) {
                heard.completeExceptionally(failure);
            }
        });
        CompletableFuture<HealthStatus> answer = heard.handle((info, failure) -> info == null
                        ? CompletableFuture.completedFuture(HealthStatus.unhealthy(reason(failure)))
                        : judge(target, info, timeout, redirectsLeft))
                .thenCompose(status -> status);
        answer.whenComplete((status, failure) -> {
            if (answer
                    .isCancelled()) { // a caller that gives up ends the exchange too, if it is not one after a redirect
                exchange.cancel(true);
            }
        });
        return answer;
    }

    /**
     * Throws the body away, and then tells of the answer: here, because the client completes the exchange in the JDK's
     * common pool, which the host may have filled.
     */
    private static DiscardingSubscriber telling(ResponseInfo info, CompletableFuture<ResponseInfo> heard) {
        DiscardingSubscriber body = new DiscardingSubscriber();
        body.getBody().whenComplete((nothing, failure) -> {
            if (failure == null) {
                heard.complete(info);
            } else {
                heard.completeExceptionally(failure);
            }
        });
        return body;
    }

    private CompletableFuture<HealthStatus> judge(URI asked, ResponseInfo info, Duration timeout, int redirectsLeft) {
        int code = info.statusCode();
        if (code / 100 == 2) {
            return CompletableFuture.completedFuture(HealthStatus.healthy());
        }
        Optional<URI> next = code / 100 == 3 && redirectsLeft > 0 ? redirect(asked, info) : Optional.empty();
        return next.isPresent()
                ? ask(next.get(), timeout, redirectsLeft - 1)
                : CompletableFuture.completedFuture(HealthStatus.unhealthy("status " + code));
    }

    /** Where the answer points, if that is on the host and port that was asked. */
    private static Optional<URI> redirect(URI asked, ResponseInfo info) {
        try {
            return info.headers()
                    .firstValue("Location")
                    .map(asked::resolve)
                    .filter(next -> asked.getScheme().equalsIgnoreCase(next.getScheme())
                            && asked.getHost().equalsIgnoreCase(next.getHost())
                            && next.getPort() == asked.getPort());
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
