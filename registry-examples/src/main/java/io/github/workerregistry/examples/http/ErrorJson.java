package io.github.workerregistry.examples.http;

/**
 * The body of every error response.
 *
 * @param error the error
 */
record ErrorJson(Body error) {

    /**
     * An error.
     *
     * @param code for programs
     * @param message for people
     */
    record Body(String code, String message) {}

    static ErrorJson of(String code, String message) {
        return new ErrorJson(new Body(code, message));
    }

    /** For errors that are detected before a request reaches this program: the code is derived from the status. */
    static ErrorJson of(int status) {
        return switch (status) {
            case 404 -> of("not_found", "there is nothing at this path");
            case 405 -> of("method_not_allowed", "this path does not support the method; see the header Allow");
            case 408 -> of("request_timeout", "the request did not arrive in time");
            case 413 -> of("body_too_large", "the body is too large");
            case 414 -> of("uri_too_long", "the request's URI is too long");
            case 431 -> of("headers_too_large", "the request's headers are too large");
            case 500 -> of("internal_error", "the server failed; see its log");
            default -> of("bad_request", "the request is not valid HTTP");
        };
    }
}
