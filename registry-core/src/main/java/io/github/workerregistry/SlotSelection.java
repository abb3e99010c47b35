package io.github.workerregistry;

/** Which worker of a model gives the next slot, where several could. */
public enum SlotSelection {

    /**
     * One that is busy and has a free slot, and an idle one only if there is none. Workers that are not needed stay
     * idle, time out, and give back their memory. The default.
     */
    PACK,

    /**
     * The one with the smallest share of its slots in use; among equals, each has its turn (for each thread, from the
     * one on that it used last). Requests that run side by side disturb each other least. Exact among up to 64 workers
     * of a model; among more, a worker may be preferred whose share is greater by up to a seventh of its slots.
     */
    SPREAD
}
