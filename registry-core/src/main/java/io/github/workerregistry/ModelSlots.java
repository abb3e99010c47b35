package io.github.workerregistry;

import io.github.workerregistry.WorkerState.Stopping;
import org.jspecify.annotations.Nullable;

/**
 * The workers of one model: the index of free slots, and the wait queue. A caller that arrives while others wait is
 * served after them.
 */
final class ModelSlots {

    private final String modelRef;
    private final FreeSlots free;
    private final SlotWaitQueue waitQueue;
    private final @Nullable LeaseLeaks leaks;
    private final ModelHistory history;
    private final LeaseEndFutures ends;
    private final LeaseCheckCoordinator checks;
    private volatile boolean followsCloses;
    private volatile @Nullable Removal lastRemoval;

    ModelSlots(String modelRef, SlotRules rules) {
        this.modelRef = modelRef;
        this.leaks = rules.leaks();
        this.history = rules.history();
        this.ends = rules.ends();
        this.checks = rules.checks();
        this.followsCloses = leaks != null;
        this.free = new FreeSlots(rules.selection());
        this.waitQueue = new SlotWaitQueue(this, rules.waitQueueCapacity());
    }

    String modelRef() {
        return modelRef;
    }

    FreeSlots free() {
        return free;
    }

    // ---- membership: under the registry's write lock ----

    void add(WorkerEntry entry) {
        entry.join(this);
        free.add(entry);
    }

    void remove(WorkerEntry entry, @Nullable Exit exit) {
        free.remove(entry);
        lastRemoval = new Removal(entry.stored().backend(), entry.stored().device(), exit);
    }

    /** The last removed worker's backend and device, and its exit if that is known. */
    private record Removal(
            String backend, int device, @Nullable Exit exit) {}

    /** Whether the model has neither workers nor waiters. */
    boolean isUnused() {
        return free.isEmpty() && waitQueue.isEmpty();
    }

    /** Retires this object if it is unused; later waiters find the queue closed and return to the table. */
    boolean retire() {
        return free.isEmpty() && waitQueue.close();
    }

    /** The exception for an unservable request that has waited since {@code sinceNanos}. */
    NoWorkerException unservable(SlotFilter filter, long sinceNanos) {
        Removal removal = lastRemoval;
        Exit exit = removal != null && filter.fits(removal.backend(), removal.device()) ? removal.exit() : null;
        return new NoWorkerException(shortage(filter, sinceNanos), filter, exit);
    }

    /** The state of this model, for a request that has waited since {@code sinceNanos} without getting a slot. */
    SlotShortage shortage(SlotFilter filter, long sinceNanos) {
        return SlotShortage.of(modelRef, this, filter, sinceNanos, history);
    }

    // ---- slots ----

    /**
     * Acquires a slot of the worker that the thread used last, if there is no waiter and the selection prefers no other
     * worker; else returns null.
     */
    @Nullable
    SlotLease tryAcquireAgain(WorkerEntry last) {
        return waitQueue.isEmpty() ? free.tryAcquireAgain(last) : null;
    }

    /**
     * Acquires a slot of any worker, if no waiter would accept it; else returns null.
     *
     * @param last the worker that this thread used last, see {@link FreeSlots#tryAcquireBest}
     */
    @Nullable
    SlotLease tryAcquireBest(@Nullable WorkerEntry last) {
        return waitQueue.isEmpty()
                ? free.tryAcquireBest(last)
                : waitQueue.acquireAfterWaiters(SlotFilter.any(), this::acquire);
    }

    /**
     * Acquires a slot of a worker that passes the filter, if no waiter would accept it; else returns null.
     *
     * @param last the worker that this thread used last, see {@link FreeSlots#tryAcquire}
     */
    @Nullable
    SlotLease tryAcquire(SlotFilter filter, @Nullable WorkerEntry last) {
        return waitQueue.isEmpty()
                ? free.tryAcquire(filter, last)
                : waitQueue.acquireAfterWaiters(filter, this::acquire);
    }

    /** Acquires a slot of one worker, if no waiter would accept it; else returns null. */
    @Nullable
    SlotLease tryAcquireFrom(WorkerEntry entry) {
        return waitQueue.isEmpty()
                ? entry.tryAcquire()
                : waitQueue.acquireAfterWaiters(SlotFilter.any(), SlotSource.of(entry));
    }

    /** Acquires a slot regardless of waiters. */
    @Nullable
    SlotLease acquire(SlotFilter filter) {
        return filter.isAny() ? free.tryAcquireBest(null) : free.tryAcquire(filter, null);
    }

    /** A slot of this worker has been released, or a property visible to filters has changed. */
    void offer(WorkerEntry entry) {
        if (!waitQueue.isEmpty()) {
            waitQueue.serve(SlotSource.of(entry));
        }
    }

    // ---- ends of leases ----

    LeaseEndFutures ends() {
        return ends;
    }

    LeaseCheckCoordinator checks() {
        return checks;
    }

    /** From now on, closed leases are reported to {@link LeaseEndFutures}. */
    void followCloses() {
        followsCloses = true;
    }

    /** A lease has been closed, void or not. */
    void closed(SlotLease lease) {
        if (followsCloses) {
            if (leaks != null) {
                leaks.closed(lease);
            }
            ends.settle(lease);
        }
    }

    // ---- waiters ----

    SlotWaitQueue waitQueue() {
        return waitQueue;
    }

    /** A change of this model may serve waiters, or make them unservable. */
    void changed() {
        if (!waitQueue.isEmpty()) {
            waitQueue.serve(this::acquire);
            waitQueue.failUnservable();
        }
    }

    /** Whether a worker that fits has, or may get, a free slot. */
    boolean mayServe(SlotFilter filter) {
        while (true) {
            int additions = free.additions();
            if (free.first(entry -> fits(entry.stored(), filter) ? entry : null) != null) {
                return true;
            }
            if (additions == free.additions()) {
                return false;
            }
        }
    }

    private static boolean fits(WorkerInfo worker, SlotFilter filter) {
        return filter.fits(worker) && mayServe(worker.state());
    }

    private static boolean mayServe(WorkerState state) {
        return !(state instanceof Stopping stopping)
                || stopping.reason().isFailure()
                || stopping.reason() == StopReason.RESTART;
    }
}
