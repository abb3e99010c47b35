package io.github.workerregistry;

import java.time.Duration;

/** No slot became free in time. */
public final class SlotTimeoutException extends RuntimeException {

    /** The model whose workers were all busy. */
    private final String modelRef;

    /** How long was waited. */
    private final Duration timeout;

    SlotTimeoutException(String modelRef, Duration timeout) {
        super("no slot of " + modelRef + " within " + timeout);
        this.modelRef = modelRef;
        this.timeout = timeout;
    }

    /**
     * The model whose workers were all busy.
     *
     * @return the model
     */
    public String modelRef() {
        return modelRef;
    }

    /**
     * How long was waited.
     *
     * @return the time that the caller gave
     */
    public Duration timeout() {
        return timeout;
    }
}
