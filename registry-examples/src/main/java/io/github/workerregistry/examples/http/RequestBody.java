package io.github.workerregistry.examples.http;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.Locale;

/** The body of a request, in memory, up to a limit. */
public final class RequestBody {

    /** Maximum size of a body, in bytes: 1 MiB. */
    public static final int LIMIT = 1 << 20;

    private static final String JSON = "application/json";

    /** How long a body may take to arrive. */
    private static final long ARRIVAL_MILLIS = 30_000;

    private final Exchange exchange;
    private final Promise<RequestBody> read = Promise.promise();
    private final Buffer buffer = Buffer.buffer();
    private long timer;

    private RequestBody(Exchange exchange) {
        this.exchange = exchange;
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
        String type = exchange.request().getHeader(HttpHeaders.CONTENT_TYPE);
        if (type == null
                || !type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT).equals(JSON)) {
            return Future.failedFuture(
                    new Refusal(415, "unsupported_media_type", "the header Content-Type must be " + JSON));
        }
        return new RequestBody(exchange).read();
    }

    private Future<RequestBody> read() {
        HttpServerRequest request = exchange.request();
        if (length(request) > LIMIT) {
            return Future.failedFuture(tooLarge());
        }
        if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
            exchange.response().writeContinue();
        }
        request.handler(this::piece);
        request.endHandler(unused -> read.tryComplete(this));
        request.exceptionHandler(e -> read.tryFail(incomplete()));
        timer = exchange.vertx()
                .setTimer(
                        ARRIVAL_MILLIS,
                        late -> read.tryFail(
                                new Refusal(408, "request_timeout", "the request did not arrive in time")));
        return read.future().onComplete(unused -> exchange.vertx().cancelTimer(timer));
    }

    private void piece(Buffer piece) {
        buffer.appendBuffer(piece);
        if (buffer.length() > LIMIT) {
            read.tryFail(tooLarge());
        }
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

    /** Its bytes, without a copy. */
    Buffer buffer() {
        return buffer;
    }

    private static Refusal incomplete() {
        return new Refusal(400, "incomplete_body", "the body did not arrive");
    }

    private static Refusal tooLarge() {
        return new Refusal(413, "body_too_large", "the body must have at most " + LIMIT + " bytes");
    }
}
