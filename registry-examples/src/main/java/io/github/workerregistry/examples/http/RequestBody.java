package io.github.workerregistry.examples.http;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.Locale;

/**
 * The body of a request, in memory: all of it; or the first part of one that is forwarded, whose rest stays in its
 * connection until the next server reads it.
 */
public final class RequestBody {

    /** Maximum size of a body that is read, and of the first part of one that is forwarded, in bytes: 1 MiB. */
    public static final int LIMIT = 1 << 20;

    private static final String JSON = "application/json";

    private final Exchange exchange;
    private final Promise<RequestBody> read = Promise.promise();
    private final long most;
    private Buffer buffer = Buffer.buffer();
    private boolean complete = true;
    private long timer;

    private RequestBody(Exchange exchange, long most) {
        this.exchange = exchange;
        this.most = most;
    }

    /**
     * Reads a JSON body completely.
     *
     * <p>The content type must be JSON. A web page in a browser on this machine can post to any address, but not with
     * this content type unless the server allows it (CORS), which this one does not.
     *
     * @param exchange the request
     * @return the body; or a {@link Refusal} if it has another type, is too large (with or without Content-Length), or
     *     does not arrive in time
     */
    public static Future<RequestBody> json(Exchange exchange) {
        return isJson(exchange.request()) ? new RequestBody(exchange, LIMIT).read() : Future.failedFuture(noJson());
    }

    /**
     * Reads the first part of a body that is forwarded.
     *
     * @param exchange the request
     * @return the body; or a {@link Refusal} if it is too large, or does not arrive in time
     */
    public static Future<RequestBody> forwarded(Exchange exchange) {
        return new RequestBody(exchange, exchange.inflow().bounds().body()).read();
    }

    /**
     * Reads the first part of a JSON body that is forwarded.
     *
     * @param exchange the request
     * @return the body; or a {@link Refusal} as in {@link #json} and {@link #forwarded}
     */
    public static Future<RequestBody> forwardedJson(Exchange exchange) {
        return isJson(exchange.request()) ? forwarded(exchange) : Future.failedFuture(noJson());
    }

    private static boolean isJson(HttpServerRequest request) {
        String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
        return type != null
                && type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT).equals(JSON);
    }

    private static Refusal noJson() {
        return new Refusal(415, "unsupported_media_type", "the header Content-Type must be " + JSON);
    }

    private Future<RequestBody> read() {
        HttpServerRequest request = exchange.request();
        if (length(request) > most) {
            return Future.failedFuture(tooLarge(most));
        }
        if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
            exchange.response().writeContinue();
        }
        request.handler(this::piece);
        request.endHandler(unused -> read.tryComplete(this));
        request.exceptionHandler(e -> read.tryFail(incomplete()));
        timer = exchange.vertx()
                .setTimer(exchange.inflow().bounds().arrival().toMillis(), late -> read.tryFail(late()));
        exchange.onEnd(this::release);
        return read.future().onComplete(unused -> exchange.vertx().cancelTimer(timer));
    }

    private void piece(Buffer piece) {
        if (read.future().isComplete()) {
            return; // refused; discarded
        }
        if (!exchange.inflow().reserve(piece.length())) {
            read.tryFail(Refusal.later("overloaded", "too many bodies are under way"));
            return;
        }
        buffer.appendBuffer(piece);
        if (buffer.length() > most) {
            read.tryFail(tooLarge(most));
        } else if (buffer.length() >= LIMIT && most > LIMIT) {
            complete = false;
            exchange.request().pause();
            read.tryComplete(this);
        }
    }

    private void release() {
        exchange.inflow().release(buffer.length());
        buffer = Buffer.buffer();
        read.tryFail(incomplete());
    }

    /**
     * Whether this is all of the body, so that it can be sent twice.
     *
     * @return true if so
     */
    public boolean isComplete() {
        return complete;
    }

    /** Sends all of it; completes when the rest, if there is one, has been sent. */
    Future<Void> sendTo(HttpClientRequest to, Forwarding.Patience patience) {
        if (complete) {
            return buffer.length() == 0 ? to.end() : to.end(buffer); // no Content-Length: 0 in a GET
        }
        if (!to.headers().contains(HttpHeaders.CONTENT_LENGTH)) {
            to.setChunked(true);
        }
        to.write(buffer);
        return new Pump(
                        exchange.vertx(),
                        exchange.request(),
                        patience.betweenPieces(),
                        to,
                        patience.betweenPieces(),
                        most - buffer.length())
                .start()
                .compose(unused -> to.end())
                .recover(failure -> Future.failedFuture(
                        failure instanceof Pump.StallException stall && !stall.isOfSink() ? late() : failure));
    }

    private static long length(HttpServerRequest request) {
        String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        try {
            return length == null ? 0 : Long.parseLong(length);
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    /**
     * Its bytes.
     *
     * @return the bytes
     */
    public byte[] bytes() {
        return buffer.getBytes();
    }

    private static Refusal late() {
        return new Refusal(408, "request_timeout", "the request did not arrive in time");
    }

    private static Refusal incomplete() {
        return new Refusal(400, "incomplete_body", "the body did not arrive");
    }

    static Refusal tooLarge(long most) {
        return new Refusal(413, "body_too_large", "the body must have at most " + most + " bytes");
    }
}
