package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;

/**
 * Checks workers with a failed lease, see {@link Supervision#registerLeaseChecker}. A supervisor registers one; a hive
 * with its own loops may do so, too.
 *
 * <p>Called on the thread that called {@link SlotLease#fail}, with no lock held, concurrently for several leases. An
 * implementation must only enqueue the check, and run it elsewhere. An exception is logged at WARN, and the next
 * checker is asked.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface LeaseChecker {

    /**
     * Whether this checker drives the worker's process. Such a checker is asked to {@link #check} before all others.
     *
     * @param worker the worker
     * @return false unless overridden
     */
    default boolean drives(WorkerInfo worker) {
        requireNonNull(worker, "worker");
        return false;
    }

    /**
     * Starts the check of a failed lease's worker, to call {@link FailedLease#resume()} when the check passes; or
     * declines. If the process has exited, the checker reports the exit to the registry like any other, and need not
     * call {@code resume}.
     *
     * @param lease the lease; a worker may have several under check
     * @return the longest time that the check may take, &gt; 0: one second (real time) after it, slots of the worker
     *     are leased again even if {@code resume} was not called. Empty, or not &gt; 0, if this checker does not check
     *     this worker
     */
    Optional<Duration> check(FailedLease lease);
}
