package io.github.workerregistry.examples.http;

import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** A request that is forwarded to one server. Used on the event loop of its exchange, but for {@link #cancel}. */
public final class Attempt {

    /** An error response is read to its end, up to this size and time, so that its connection can be reused. */
    private static final int MOST_DISCARDED = 64 * 1024;

    private static final long DISCARD_MILLIS = 1_000;

    /** No connection to the server: the request was not sent. */
    public static final class NotConnectedException extends IOException {

        private static final long serialVersionUID = 1L;

        NotConnectedException(Throwable cause) {
            super(cause.getMessage(), cause);
        }
    }

    private final Exchange exchange;
    private final RequestBody body;
    private final Forwarding.Patience patience;
    private Future<HttpClientResponse> answer = Future.failedFuture(new IllegalStateException("not sent"));
    private @Nullable HttpClientRequest request;
    private @Nullable Throwable notSent;
    private boolean sent;
    private boolean cancelled;
    private long discarded;

    Attempt(Exchange exchange, RequestBody body, Forwarding.Patience patience) {
        this.exchange = exchange;
        this.body = body;
        this.patience = patience;
    }

    Attempt send(HttpClient client, String url, String target) {
        URI server = URI.create(url);
        RequestOptions options = new RequestOptions()
                .setMethod(exchange.request().method())
                .setHost(server.getHost())
                .setPort(server.getPort() < 0 ? 80 : server.getPort())
                .setURI(server.getRawPath() + target);
        exchange.onEnd(this::stop);
        answer = client.request(options)
                .recover(cause -> Future.failedFuture(new NotConnectedException(cause)))
                .compose(this::write);
        return this;
    }

    private Future<HttpClientResponse> write(HttpClientRequest to) {
        to.exceptionHandler(told -> {}); // by the response, too
        if (cancelled) {
            to.reset();
            return Future.failedFuture(new CancellationException("the request was cancelled"));
        }
        request = to;
        HopByHop.copy(exchange.request().headers(), to.headers());
        to.headers().add(Forwarding.VIA, Forwarding.US);
        to.idleTimeout(patience.firstByte().toMillis());
        body.sendTo(to, patience).onSuccess(all -> sent = true).onFailure(cause -> {
            notSent = cause;
            stop();
        });
        return to.response()
                .recover(failure -> Future.failedFuture(notSent != null ? notSent : failure))
                .compose(this::received);
    }

    private Future<HttpClientResponse> received(HttpClientResponse response) {
        response.pause();
        response.exceptionHandler(notYetRead -> {});
        if (response.statusCode() < 200 || response.statusCode() > 599) {
            stop();
            return Future.failedFuture(new IOException("status " + response.statusCode()));
        }
        return Future.succeededFuture(response);
    }

    /**
     * The response of the server, which is paused.
     *
     * @return the response; {@link NotConnectedException} if the request was not sent
     */
    public Future<HttpClientResponse> answer() {
        return answer;
    }

    /** Gives the request up: its answer fails. On any thread; without effect once the response was forwarded. */
    public void cancel() {
        exchange.execute(this::stop);
    }

    private void stop() {
        cancelled = true;
        if (request != null) {
            request.reset();
            if (!sent) {
                Connections.cut(request.connection()); // its server may not read the rest
            }
        }
    }

    /**
     * Forwards the response to the client.
     *
     * @param response the response
     * @param headers further headers, in place of those of the same names
     * @param beforeEnd called when it is complete, before its end is sent
     * @return completes when it is complete, or with the reason why it is not
     */
    public Future<Void> forward(HttpClientResponse response, Map<String, String> headers, Runnable beforeEnd) {
        HttpServerResponse to = exchange.response();
        MultiMap before = HttpHeaders.headers().addAll(to.headers());
        return Future.succeededFuture(response)
                .compose(from -> forward(from, to, headers, beforeEnd))
                .onFailure(cause -> {
                    if (!to.headWritten()) {
                        to.headers().setAll(before); // another response follows
                    }
                });
    }

    private Future<Void> forward(
            HttpClientResponse response, HttpServerResponse to, Map<String, String> headers, Runnable beforeEnd) {
        to.setStatusCode(response.statusCode());
        HopByHop.copy(response.headers(), to.headers());
        headers.forEach((name, value) -> to.headers().set(name, value));
        boolean sized = to.headers().contains(HttpHeaders.CONTENT_LENGTH);
        if (!sized && mayHaveBody(response)) {
            to.setChunked(true);
        }
        return new Pump(exchange.vertx(), response, patience.betweenPieces(), to, patience.reader(), Long.MAX_VALUE)
                .start()
                .onComplete(end -> {
                    if (end.failed()) {
                        stop();
                    }
                })
                .recover(failure -> Future.failedFuture(
                        failure instanceof Pump.StallException stall && stall.isOfSink()
                                ? new Refusal(408, "slow_reader", "the client does not read")
                                : failure))
                .onSuccess(unused -> {
                    if (sent) {
                        request = null; // complete: nothing to cancel
                    }
                    beforeEnd.run();
                    Future<Void> ended = to.end();
                    if (!sized && exchange.request().version() == HttpVersion.HTTP_1_0) {
                        ended.onComplete(
                                closes -> exchange.request().connection().close());
                    }
                });
    }

    private boolean mayHaveBody(HttpClientResponse response) {
        return response.statusCode() != 204
                && response.statusCode() != 304
                && !exchange.request().method().equals(HttpMethod.HEAD);
    }

    /**
     * Reads the response to its end and forwards nothing; gives it up if it is too long or too slow for an error.
     *
     * @param response the response
     */
    public void discard(HttpClientResponse response) {
        long timer = exchange.vertx().setTimer(DISCARD_MILLIS, late -> stop());
        response.handler(piece -> {
            discarded += piece.length();
            if (discarded > MOST_DISCARDED) {
                stop();
            }
        });
        response.exceptionHandler(ignored -> exchange.vertx().cancelTimer(timer));
        response.endHandler(unused -> exchange.vertx().cancelTimer(timer));
        response.resume();
    }
}
