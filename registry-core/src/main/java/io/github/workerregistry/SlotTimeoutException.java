package io.github.workerregistry;

import java.time.Duration;

/**
 * No slot became free in time.
 *
 * @since 0.1
 */
public final class SlotTimeoutException extends SlotUnavailableException {

    private static final long serialVersionUID = 1L;

    /** The timeout passed by the caller. */
    private final Duration timeout;

    SlotTimeoutException(SlotShortage shortage, Duration timeout) {
        super("no slot of " + shortage.modelName() + " within " + timeout, shortage);
        this.timeout = timeout;
    }

    /**
     * The timeout.
     *
     * @return the timeout passed by the caller
     */
    public Duration timeout() {
        return timeout;
    }
}
