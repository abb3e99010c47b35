package io.github.workerregistry;

import org.jspecify.annotations.Nullable;

/**
 * Settings for the slots of every model of a registry.
 *
 * @param selection which worker serves the next request
 * @param waitQueueCapacity maximum number of callers waiting for one model
 * @param leaks leases open for too long; null if they are not reported
 * @param history recent ends of workers
 * @param ends futures for the ends of leases
 * @param checks workers being checked because of a failed lease
 */
record SlotRules(
        SlotSelection selection,
        int waitQueueCapacity,
        @Nullable LeaseLeaks leaks,
        ModelHistory history,
        LeaseEndFutures ends,
        LeaseCheckCoordinator checks) {

    /** Settings for unit tests: no leak report, empty history. */
    static SlotRules of(SlotSelection selection, int waitQueueCapacity) {
        LeaseEndFutures ends = new LeaseEndFutures(WorkerEntry::snapshot);
        return new SlotRules(
                selection, waitQueueCapacity, null, new ModelHistory(), ends, new LeaseCheckCoordinator(ends));
    }
}
