package io.github.workerregistry;

import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * What the models of a registry share.
 *
 * @param settings as passed to the builder
 * @param clock of the registry
 * @param history recent ends of workers
 * @param ends futures for the ends of leases
 * @param checks workers being checked because of a failed lease
 * @param idleActions actions to be run when a worker has no slot in use
 * @param demandListeners listeners for waiting requests
 * @param deadlines of waiting requests
 * @param totals how waits have ended
 */
record SlotRules(
        SlotSettings settings,
        InstantSource clock,
        ModelHistory history,
        LeaseEndFutures ends,
        LeaseCheckCoordinator checks,
        IdleActions idleActions,
        DemandListeners demandListeners,
        Deadlines deadlines,
        WaitTotals totals) {

    @Nullable
    LeaseLeaks leaks() {
        return settings.leaks();
    }

    AffinityTable newAffinities() {
        return new AffinityTable(settings.affinityTtl(), settings.affinityCapacity(), clock);
    }

    /** How long a request has waited until now. */
    Duration waited(Waiter waiter) {
        return Duration.ofNanos(Math.max(0, deadlines.now() - waiter.since()));
    }

    /** The wait of a request has ended. Called with no lock held. */
    void waitEnded(Waiter waiter) {
        deadlines.remove(waiter);
        totals.ended(waiter.state(), waited(waiter));
    }
}
