package io.github.workerregistry.examples.http;

/** A request that is rejected: the error response to the client. */
public final class Refusal extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;

    /**
     * A refusal.
     *
     * @param status the HTTP status
     * @param code the error code, for programs
     * @param message the reason, for people; names the field if there is one
     */
    public Refusal(int status, String code, String message) {
        super(message, null, false, false); // it becomes a response: no stack trace
        this.status = status;
        this.code = code;
    }

    /**
     * A field of the request is missing or invalid.
     *
     * @param message names the field and the reason
     * @return a 400
     */
    public static Refusal invalid(String message) {
        return new Refusal(400, "invalid_request", message);
    }

    /**
     * No worker has this id.
     *
     * @return a 404
     */
    public static Refusal noSuchWorker() {
        return new Refusal(404, "unknown_worker", "there is no worker with this id");
    }

    /**
     * A temporary condition: the client is told to retry.
     *
     * @param code the error code, for programs
     * @param message the reason, for people
     * @return a 503
     */
    public static Refusal later(String code, String message) {
        return new Refusal(503, code, message);
    }

    int status() {
        return status;
    }

    String code() {
        return code;
    }

    /** Whether the same request may succeed later. */
    boolean isPassing() {
        return status == 503;
    }
}
