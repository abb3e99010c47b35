package io.github.workerregistry;

import org.jspecify.annotations.Nullable;

/**
 * What holds for the slots of every model of a registry.
 *
 * @param selection which worker gives the next slot
 * @param waitQueueCapacity how many callers may wait for one model
 * @param leaks where leases are noted that are open for too long; null if they are not
 * @param history how workers ended lately
 */
record SlotRules(
        SlotSelection selection,
        int waitQueueCapacity,
        @Nullable LeaseLeaks leaks,
        ModelHistory history) {

    /** Rules without a report of leaks, and without a past. */
    static SlotRules of(SlotSelection selection, int waitQueueCapacity) {
        return new SlotRules(selection, waitQueueCapacity, null, new ModelHistory());
    }
}
