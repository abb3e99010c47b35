package io.github.workerregistry.examples.http;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A request that is rejected: the error response to the client. */
public final class Refusal extends RuntimeException {

    private static final long serialVersionUID = 1L;
    private static final Duration SOON = Duration.ofSeconds(1);

    private final int status;
    private final String code;
    private final @Nullable Duration retryAfter;

    /**
     * A refusal.
     *
     * @param status the HTTP status
     * @param code the error code, for programs
     * @param message the reason, for people; names the field if there is one
     */
    public Refusal(int status, String code, String message) {
        this(status, code, message, status == 503 ? SOON : null);
    }

    private Refusal(int status, String code, String message, @Nullable Duration retryAfter) {
        super(message, null, false, false); // it becomes a response: no stack trace
        this.status = status;
        this.code = code;
        this.retryAfter = retryAfter;
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
        return later(code, message, SOON);
    }

    /**
     * A temporary condition whose duration is known.
     *
     * @param code the error code, for programs
     * @param message the reason, for people
     * @param retryAfter when to retry
     * @return a 503
     */
    public static Refusal later(String code, String message, Duration retryAfter) {
        return new Refusal(503, code, message, retryAfter);
    }

    int status() {
        return status;
    }

    String code() {
        return code;
    }

    /** When the same request may succeed; empty if not. */
    Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
