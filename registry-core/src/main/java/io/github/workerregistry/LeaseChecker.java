package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;

/**
 * Checks workers of which a lease has failed: see {@link WorkerRegistry#checkFailedLeases}. A supervisor registers one;
 * a hive with loops of its own may.
 *
 * <p>Called on the thread that called {@link SlotLease#fail}, with no lock held, for several leases at a time. So it
 * must only enqueue, and check elsewhere. What it throws is logged at WARN, and the next checker is asked.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface LeaseChecker {

    /**
     * Whether this checker drives the process of a worker. The one that does is asked to {@link #check} it before all
     * others.
     *
     * @param worker the worker
     * @return false unless overridden
     */
    default boolean drives(WorkerInfo worker) {
        requireNonNull(worker, "worker");
        return false;
    }

    /**
     * Begins to check the worker of a failed lease, and calls {@link FailedLease#resume()} when that has passed, or
     * says that it will not. If the process is gone, the checker tells the registry so, as it does of any exit, and
     * need not call {@code resume}.
     *
     * @param lease the lease, of which a worker may have several
     * @return the longest time that the check may take, &gt; 0: one second later (real time) slots of the worker are
     *     leased again even if {@code resume} was not called. Empty, or not &gt; 0: this checker does not check this
     *     worker
     */
    Optional<Duration> check(FailedLease lease);
}
