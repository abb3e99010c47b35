package io.github.workerregistry.examples.http;

import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.http.HttpServerRequest;

/** Answers what is no valid HTTP, and closes the connection. */
final class InvalidHttp {

    private InvalidHttp() {}

    static void answer(HttpServerRequest request) {
        int status = status(request.decoderResult().cause());
        request.response()
                .setStatusCode(status)
                .putHeader("Content-Type", "application/json")
                .end(JsonServer.buffer(ErrorJson.of(status)))
                .onComplete(sent -> request.connection().close());
    }

    private static int status(Throwable cause) {
        if (cause instanceof TooLongHttpLineException) {
            return 414;
        }
        return cause instanceof TooLongHttpHeaderException ? 431 : 400;
    }
}
