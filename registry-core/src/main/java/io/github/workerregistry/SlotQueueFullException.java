package io.github.workerregistry;

/** So many wait for a slot of the model already that no more may. */
public final class SlotQueueFullException extends RuntimeException {

    /** The model. */
    private final String modelRef;

    /** How many wait. */
    private final int capacity;

    SlotQueueFullException(String modelRef, int capacity) {
        super(capacity + " callers wait for a slot of " + modelRef + " already");
        this.modelRef = modelRef;
        this.capacity = capacity;
    }

    /**
     * The model.
     *
     * @return the model
     */
    public String modelRef() {
        return modelRef;
    }

    /**
     * How many callers may wait for one model.
     *
     * @return the bound that was reached
     */
    public int capacity() {
        return capacity;
    }
}
