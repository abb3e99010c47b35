package io.github.workerregistry;

import org.jspecify.annotations.Nullable;

/**
 * What holds for the slots of every model of a registry.
 *
 * @param selection which worker gives the next slot
 * @param waitQueueCapacity how many callers may wait for one model
 * @param leaks where leases are noted that are open for too long; null if they are not
 * @param history how workers ended lately
 * @param ends who has asked for the ends of leases
 * @param checks the workers that are checked because a lease failed
 */
record SlotRules(
        SlotSelection selection,
        int waitQueueCapacity,
        @Nullable LeaseLeaks leaks,
        ModelHistory history,
        LeaseEnds ends,
        LeaseChecks checks) {

    /** Rules for tests of a part: without a report of leaks, and without a past. */
    static SlotRules of(SlotSelection selection, int waitQueueCapacity) {
        LeaseEnds ends = new LeaseEnds(Entry::peek);
        return new SlotRules(selection, waitQueueCapacity, null, new ModelHistory(), ends, new LeaseChecks(ends));
    }
}
