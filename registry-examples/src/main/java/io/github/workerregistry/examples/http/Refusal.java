package io.github.workerregistry.examples.http;

/** A request that is not fulfilled: what the client is told. */
public final class Refusal extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;

    /**
     * A refusal.
     *
     * @param status the HTTP status
     * @param code the kind of error, for programs
     * @param message what is wrong, for people; names the field if it is one
     */
    public Refusal(int status, String code, String message) {
        super(message, null, false, false); // it is an answer: no stack trace
        this.status = status;
        this.code = code;
    }

    /**
     * A field of the request is missing, or has a value that it cannot have.
     *
     * @param message names the field and says what is wrong
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
     * It may work in a moment: the client is told to come again.
     *
     * @param code the kind of error, for programs
     * @param message what is wrong, for people
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

    /** Whether the same request may be fulfilled later. */
    boolean isPassing() {
        return status == 503;
    }
}
