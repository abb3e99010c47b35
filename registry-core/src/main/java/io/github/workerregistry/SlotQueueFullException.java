package io.github.workerregistry;

/**
 * The wait queue of the model is full.
 *
 * @since 0.1
 */
public final class SlotQueueFullException extends SlotUnavailableException {

    private static final long serialVersionUID = 1L;

    /** The maximum number of callers that may wait for one model. */
    private final int capacity;

    SlotQueueFullException(SlotShortage shortage, int capacity) {
        super(capacity + " callers wait for a slot of " + shortage.modelName() + " already", shortage);
        this.capacity = capacity;
    }

    /**
     * The capacity of the wait queue.
     *
     * @return the maximum number of callers that may wait for one model
     */
    public int capacity() {
        return capacity;
    }
}
