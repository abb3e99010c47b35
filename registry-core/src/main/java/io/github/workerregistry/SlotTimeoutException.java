package io.github.workerregistry;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * No slot became free in time. The message tells the state of the model: its workers by state, how many callers waited,
 * and its last failed exit.
 */
public final class SlotTimeoutException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** The state of the model. */
    private final transient SlotShortage shortage;

    /** How long was waited. */
    private final Duration timeout;

    SlotTimeoutException(SlotShortage shortage, Duration timeout) {
        super("no slot of " + shortage.modelName() + " within " + timeout + shortage);
        this.shortage = shortage;
        this.timeout = timeout;
    }

    /**
     * The model whose workers were all busy.
     *
     * @return the model
     */
    public String modelRef() {
        return shortage.modelRef();
    }

    /**
     * How long was waited.
     *
     * @return the time that the caller gave
     */
    public Duration timeout() {
        return timeout;
    }

    /**
     * The workers of the model at that time, by the {@linkplain WorkerState#label() label} of their state:
     * {@code loading}, {@code idle}, {@code busy}, {@code backing_off}, {@code stopping}, in this order.
     *
     * @return an unmodifiable map from label to count, &gt; 0; empty if the model had no worker
     */
    public Map<String, Integer> workersByState() {
        return shortage.workersByState();
    }

    /**
     * How many other callers waited for a slot of the model at that time.
     *
     * @return &ge; 0
     */
    public int waiting() {
        return shortage.waiting();
    }

    /**
     * How long this caller had waited, in real time.
     *
     * @return &ge; 0
     */
    public Duration waited() {
        return shortage.waited();
    }

    /**
     * Whether the hive is shutting down: workers that could have served the request are stopping, or were removed, with
     * {@link Exit.Cause#SHUTDOWN}. Callers that come later are told so for 10 minutes.
     *
     * @return true if it is
     */
    public boolean isShuttingDown() {
        return shortage.isShuttingDown();
    }

    /**
     * The last failed exit of a worker of the model that could have served the request, also if that worker has been
     * restarted or removed since. Known for 10 minutes, and for the 1,000 models in which something ended last.
     *
     * @return the exit, with the last line of its output only, sanitised and at most 300 characters; empty if none is
     *     known
     */
    public Optional<Exit> lastFailure() {
        return shortage.lastFailure();
    }
}
