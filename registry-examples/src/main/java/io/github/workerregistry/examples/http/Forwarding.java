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
 * Passes the request of a client on to another server, and gives it up if the client goes away.
 *
 * <p>No thread waits for the answer, so any number of slow ones leaves the rest of the program as it is.
 */
public final class Forwarding {

    /** Where requests are sent, here and there. */
    public static final String PATH = "/v1/execute";

    /** The header of an answer that says which worker gave it. An answer without it is not a worker's. */
    public static final String WORKER_HEADER = "X-Worker";

    /** What a request that is passed on says of the way that it has come (RFC 9110, 7.6.3). */
    private static final String VIA = "Via";

    private static final String US = "1.1 worker-registry";

    private final HttpClient client;
    private final ScheduledExecutorService scheduler;

    /**
     * A way to pass requests on.
     *
     * @param client sends them
     * @param scheduler looks, once a second, whether the clients are still there
     */
    public Forwarding(HttpClient client, ScheduledExecutorService scheduler) {
        this.client = client;
        this.scheduler = scheduler;
    }

    /**
     * Passes one on.
     *
     * @param ctx the client's request, read to its end
     * @param url where to, without the path
     * @param body its body, JSON
     * @param handler takes the answer
     * @param <T> what the handler makes of it
     * @return the end of the answer, or why there is none
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
     * Whether a request has been passed on by one of us before.
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
     * Whether the client is there and has been told nothing yet, so that it can still be told anything.
     *
     * @param ctx its request
     * @return true if so
     */
    public static boolean isUnanswered(Context ctx) {
        return !ctx.res().isCommitted() && !ClientEndPoint.of(ctx.req()).hasGone();
    }

    /**
     * Why there was no answer, or only a part of one.
     *
     * @param failure as the future that was returned has it, or a stage of it
     * @return the failure itself
     */
    public static Throwable causeOf(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    /**
     * Ends a request whose answer failed.
     *
     * @param ctx the request
     * @param refusal what the client is told if it has been told nothing yet
     * @throws Refusal that refusal; else the connection is cut
     */
    public static void fail(Context ctx, Refusal refusal) {
        if (isUnanswered(ctx)) {
            throw refusal;
        }
        ClientEndPoint.of(ctx.req()).cut();
    }
}
