package io.github.workerregistry.examples.http;

import io.javalin.http.Context;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Forwards the request of a client to another server, and cancels it if the client disconnects.
 *
 * <p>No thread waits for the response, so slow responses do not affect the rest of the program.
 */
public final class Forwarding {

    /** The path of requests, here and at the other server. */
    public static final String PATH = "/v1/execute";

    /** The response header that names the worker. A response without it is not from a worker. */
    public static final String WORKER_HEADER = "X-Worker";

    /** The header of a forwarded request that lists its intermediaries (RFC 9110, 7.6.3). */
    private static final String VIA = "Via";

    private static final String US = "1.1 worker-registry";

    private final HttpClient client;
    private final ScheduledExecutorService scheduler;

    /**
     * Creates a forwarder.
     *
     * @param client sends the requests
     * @param scheduler checks once a second whether the clients are still connected
     */
    public Forwarding(HttpClient client, ScheduledExecutorService scheduler) {
        this.client = client;
        this.scheduler = scheduler;
    }

    /**
     * Forwards a request.
     *
     * @param ctx the client's request, read completely
     * @param url the target, without the path
     * @param body its body, JSON
     * @param handler handles the response
     * @param <T> the result of the handler
     * @return completes with the response, or exceptionally with the reason
     */
    public <T> CompletableFuture<HttpResponse<T>> send(Context ctx, String url, byte[] body, BodyHandler<T> handler) {
        ClientEndPoint connection = ClientEndPoint.of(ctx.req());
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + PATH))
                .header("Content-Type", "application/json")
                .header(VIA, US)
                .POST(BodyPublishers.ofByteArray(body))
                .build();
        CompletableFuture<HttpResponse<T>> exchange = client.sendAsync(request, handler);
        Future<?> watch =
                scheduler.scheduleWithFixedDelay(() -> cancelIfGone(exchange, connection), 1, 1, TimeUnit.SECONDS);
        return exchange.whenComplete((answer, failure) -> watch.cancel(false));
    }

    /**
     * Whether a request was already forwarded by one of these programs.
     *
     * @param ctx the request
     * @return true if so
     */
    public static boolean hasBeenPassedOn(Context ctx) {
        String via = ctx.header(VIA);
        return via != null && via.contains(US);
    }

    private static void cancelIfGone(Future<?> exchange, ClientEndPoint connection) {
        if (connection.hasGone()) {
            exchange.cancel(true);
        }
    }

    /**
     * Whether the client is connected and the response has not been started.
     *
     * @param ctx its request
     * @return true if so
     */
    public static boolean isUnanswered(Context ctx) {
        return !ctx.res().isCommitted() && !ClientEndPoint.of(ctx.req()).hasGone();
    }

    /**
     * The cause of a missing or partial response.
     *
     * @param failure the failure of the returned future, or of a stage of it
     * @return the cause
     */
    public static Throwable causeOf(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    /**
     * Ends a request whose response failed.
     *
     * @param ctx the request
     * @param refusal the response if none was started
     * @throws Refusal that refusal; otherwise the connection is reset
     */
    public static void fail(Context ctx, Refusal refusal) {
        if (isUnanswered(ctx)) {
            throw refusal;
        }
        ClientEndPoint.of(ctx.req()).cut();
    }
}
