package io.github.workerregistry;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * So many callers wait for a slot of the model already that no more may. The message tells the state of the model: its
 * workers by state, and its last failed exit.
 */
public final class SlotQueueFullException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** The state of the model. */
    private final transient SlotShortage shortage;

    /** How many wait. */
    private final int capacity;

    SlotQueueFullException(SlotShortage shortage, int capacity) {
        super(capacity + " callers wait for a slot of " + shortage.modelName() + " already" + shortage);
        this.shortage = shortage;
        this.capacity = capacity;
    }

    /**
     * The model.
     *
     * @return the model
     */
    public String modelRef() {
        return shortage.modelRef();
    }

    /**
     * How many callers may wait for one model.
     *
     * @return the bound that was reached
     */
    public int capacity() {
        return capacity;
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
