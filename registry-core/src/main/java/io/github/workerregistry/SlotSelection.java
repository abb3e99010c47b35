package io.github.workerregistry;

/**
 * Which worker of a model serves the next request, if several have a free slot.
 *
 * @since 0.1
 */
public enum SlotSelection {

    /**
     * A busy worker with a free slot; an idle one only if there is none. Surplus workers stay idle, time out, and free
     * their memory. The default.
     */
    PACK,

    /**
     * The worker with the smallest share of its slots in use. Equally loaded workers are used in rotation (per thread,
     * from the worker that it used last). Concurrent requests disturb each other least. Exact among up to 64 workers of
     * a model; among more, a worker may be chosen whose share is greater by up to a seventh of its slots.
     */
    SPREAD
}
