package io.github.workerregistry.examples.http;

import org.jspecify.annotations.Nullable;

/**
 * The body of every error response, of the shape that OpenAI's clients read.
 *
 * @param error the error
 */
record ErrorJson(Body error) {

    /**
     * An error.
     *
     * @param code for programs
     * @param message for people
     * @param type as in OpenAI's API
     * @param param as in OpenAI's API: always null
     */
    record Body(
            String code,
            String message,
            String type,
            @Nullable String param) {}

    static ErrorJson of(int status, String code, String message) {
        String type = status >= 500 ? "server_error" : "invalid_request_error";
        return new ErrorJson(new Body(code, message, type, null));
    }

    /** For errors that are detected before a request reaches this program: the code is derived from the status. */
    static ErrorJson of(int status) {
        return switch (status) {
            case 404 -> of(status, "not_found", "there is nothing at this path");
            case 405 -> of(status, "method_not_allowed", "this path does not support the method; see the header Allow");
            case 408 -> of(status, "request_timeout", "the request did not arrive in time");
            case 413 -> of(status, "body_too_large", "the body is too large");
            case 414 -> of(status, "uri_too_long", "the request's URI is too long");
            case 431 -> of(status, "headers_too_large", "the request's headers are too large");
            case 500 -> of(status, "internal_error", "the server failed; see its log");
            default -> of(status, "bad_request", "the request is not valid HTTP");
        };
    }
}
