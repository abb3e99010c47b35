package io.github.workerregistry.examples.http;

import io.javalin.http.Context;
import java.io.IOException;
import java.util.Locale;

/** Reads the body of a request, up to a limit. */
public final class RequestBody {

    /** Maximum size of a body, in bytes: 1 MiB. */
    public static final int LIMIT = 1 << 20;

    private static final String JSON = "application/json";

    private RequestBody() {}

    /**
     * Reads a JSON body completely.
     *
     * <p>The content type must be JSON. A web page in a browser on this machine can post to any address, but not with
     * this content type unless the server allows it (CORS), which this one does not.
     *
     * @param ctx the request
     * @return the body
     * @throws Refusal if it has another type, is too large (with or without Content-Length), or is incomplete
     */
    public static byte[] json(Context ctx) {
        String type = ctx.contentType();
        if (type == null
                || !type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT).equals(JSON)) {
            throw new Refusal(415, "unsupported_media_type", "the header Content-Type must be " + JSON);
        }
        if (ctx.req().getContentLengthLong() > LIMIT) {
            throw tooLarge();
        }
        try {
            byte[] body = ctx.req().getInputStream().readNBytes(LIMIT + 1);
            if (body.length > LIMIT) {
                throw tooLarge();
            }
            return body;
        } catch (IOException e) {
            throw new Refusal(400, "incomplete_body", "the body did not arrive");
        }
    }

    private static Refusal tooLarge() {
        return new Refusal(413, "body_too_large", "the body must have at most " + LIMIT + " bytes");
    }
}
