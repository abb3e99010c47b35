package io.github.workerregistry.examples.http;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A request of a client and its response. Used on its event loop only. */
public final class Exchange {

    private static final Logger log = LoggerFactory.getLogger(Exchange.class);

    /** How long the rest of a body that was refused is read, so that its client reads the response. */
    private static final long DISCARD_MILLIS = 2_000;

    private final Vertx vertx;
    private final Context context;
    private final HttpServerRequest request;
    private final Inflow inflow;
    private final List<Runnable> ends = new ArrayList<>(2);
    private Map<String, String> pathParameters = Map.of();
    private boolean ended;

    Exchange(Vertx vertx, HttpServerRequest request, Inflow inflow, Connections.Use connection) {
        this.vertx = vertx;
        this.context = Vertx.currentContext();
        this.request = request;
        this.inflow = inflow;
        connection.begin();
        ends.add(connection::end);
        request.response().exceptionHandler(gone -> {}); // the end handler is called, too
        request.response().endHandler(unused -> end());
    }

    private void end() {
        if (!ended) {
            ended = true;
            ends.forEach(Runnable::run);
        }
    }

    /**
     * Calls back, on the event loop, when the response has been written, or the client has disconnected before.
     *
     * @param action called once; at once if that is over
     */
    public void onEnd(Runnable action) {
        if (ended) {
            action.run();
        } else {
            ends.add(action);
        }
    }

    /**
     * Whether the response has been written, or the client has disconnected.
     *
     * @return true if so
     */
    public boolean isOver() {
        return ended;
    }

    /**
     * The request.
     *
     * @return the request
     */
    public HttpServerRequest request() {
        return request;
    }

    /**
     * The response.
     *
     * @return the response
     */
    public HttpServerResponse response() {
        return request.response();
    }

    /**
     * Runs a task on the event loop of this exchange.
     *
     * @param task the task
     */
    public void execute(Runnable task) {
        context.runOnContext(unused -> task.run());
    }

    Inflow inflow() {
        return inflow;
    }

    Vertx vertx() {
        return vertx;
    }

    Exchange with(Map<String, String> parameters) {
        pathParameters = parameters;
        return this;
    }

    /**
     * A part of the path.
     *
     * @param name its name in the route
     * @return the value, decoded
     */
    public String path(String name) {
        return pathParameters.getOrDefault(name, "");
    }

    /**
     * A parameter of the query.
     *
     * @param name the name
     * @return its first value
     * @throws Refusal if the query is malformed
     */
    public Optional<String> query(String name) {
        try {
            return Optional.ofNullable(request.params().get(name));
        } catch (IllegalArgumentException e) {
            throw new Refusal(400, "bad_request", "the query is not valid HTTP");
        }
    }

    /**
     * Answers.
     *
     * @param answer the answer
     */
    public void answer(Answer answer) {
        if (ended) {
            return;
        }
        discardRest();
        response().setStatusCode(answer.status());
        if (answer.json().isEmpty()) {
            response().end();
            return;
        }
        if (answer.json().get() instanceof Text text) {
            text.headers().forEach(response()::putHeader);
            response().putHeader(HttpHeaders.CONTENT_TYPE, text.type()).end(text.body());
            return;
        }
        response()
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(JsonServer.buffer(answer.json().get()));
    }

    /**
     * Ends a request that failed: with an error; or, if the response has begun, by a reset of the connection.
     *
     * @param failure the reason
     */
    public void fail(Throwable failure) {
        if (ended) {
            return;
        }
        if (response().headWritten()) {
            cut();
        } else if (failure instanceof Refusal refusal) {
            refusal.retryAfter().ifPresent(delay -> response().putHeader("Retry-After", Long.toString(seconds(delay))));
            answer(new Answer(refusal.status(), ErrorJson.of(refusal.status(), refusal.code(), refusal.getMessage())));
        } else {
            log.warn("a request failed: {}", ForeignText.sanitised(failure), failure);
            answer(new Answer(500, ErrorJson.of(500)));
        }
    }

    /** Rounded up. */
    private static long seconds(Duration delay) {
        return Math.max(1, delay.plusNanos(999_999_999).toSeconds());
    }

    /** Without it, a connection would be reset before its client has read the response. */
    private void discardRest() {
        boolean hasBody = request.headers().contains(HttpHeaders.CONTENT_LENGTH)
                || request.headers().contains(HttpHeaders.TRANSFER_ENCODING);
        if (hasBody && !request.isEnded()) {
            request.handler(piece -> {});
            request.endHandler(unused -> {});
            request.resume();
            vertx.setTimer(DISCARD_MILLIS, late -> {
                if (!request.isEnded()) {
                    request.connection().close();
                }
            });
        }
    }

    /**
     * Resets the connection. To a client that reads until the end of the stream (HTTP/1.0 or {@code Connection:
     * close}), a graceful close would make a partial response look complete.
     */
    void cut() {
        Connections.cut(request.connection());
    }
}
