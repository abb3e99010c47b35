package io.github.workerregistry;

import io.github.workerregistry.SlotRequest.Constraints;
import io.github.workerregistry.WorkerState.Stopping;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The workers of one model: the index of free slots, and the wait queue. A caller that arrives while others wait is
 * served after them.
 */
final class ModelSlots {

    private final String modelRef;
    private final FreeSlots free;
    private final SlotWaitQueue waitQueue;
    private final SlotRequest any;
    private final SlotRules rules;
    private volatile boolean followsCloses;
    private volatile @Nullable Removal lastRemoval;
    private volatile @Nullable AffinityTable affinities;

    ModelSlots(String modelRef, SlotRules rules) {
        this.modelRef = modelRef;
        this.rules = rules;
        this.any = SlotRequest.forModel(modelRef);
        this.followsCloses = rules.leaks() != null;
        this.free = new FreeSlots(rules.settings().selection());
        this.waitQueue = new SlotWaitQueue(this, rules.settings().waitQueueCapacity());
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
        lastRemoval = Removal.of(entry.stored(), exit);
    }

    /** What requests match of the last removed worker, and its exit if that is known; its record is not retained. */
    private record Removal(
            String workerId,
            String backend,
            int device,
            Map<String, String> labels,
            @Nullable Exit exit) {

        static Removal of(WorkerInfo worker, @Nullable Exit exit) {
            return new Removal(worker.id(), worker.backend(), worker.device(), worker.labels(), exit);
        }

        boolean mayHaveServed(SlotRequest request) {
            return request.constraints().accept(workerId, backend, device, labels);
        }
    }

    /** Whether the model has neither workers nor waiters. */
    boolean isUnused() {
        return free.isEmpty() && waitQueue.isEmpty();
    }

    /** Retires this object if it is unused; later waiters find the queue closed and return to the table. */
    boolean retire() {
        return free.isEmpty() && waitQueue.close();
    }

    /** The exception for an unservable request. */
    NoWorkerException unservable(Waiter waiter) {
        SlotRequest request = waiter.request();
        Removal removal = lastRemoval;
        Exit exit = removal != null && removal.mayHaveServed(request) ? removal.exit() : null;
        return new NoWorkerException(shortage(waiter), request, exit);
    }

    /** The state of this model, for a request that has waited without getting a slot. */
    SlotShortage shortage(Waiter waiter) {
        return SlotShortage.of(waiter.request(), this, rules.waited(waiter), rules.history());
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
        return waitQueue.isEmpty() ? free.tryAcquireBest(last) : waitQueue.acquireAfterWaiters(any, this::acquire);
    }

    /**
     * Acquires a slot for a request, if no waiter would accept it; else returns null.
     *
     * @param last the worker that this thread used last, see {@link FreeSlots#tryAcquire}
     */
    @Nullable
    SlotLease tryAcquire(SlotRequest request, @Nullable WorkerEntry last) {
        if (request.affinityKey() != null) {
            affinities().readClock();
        }
        SlotLease lease = waitQueue.isEmpty()
                ? acquire(request, acceptedBy(request), last)
                : waitQueue.acquireAfterWaiters(request, this::acquire);
        if (lease != null) {
            served(request, lease);
        }
        return lease;
    }

    /** Acquires a slot of one worker, if no waiter would accept it; else returns null. */
    @Nullable
    SlotLease tryAcquireFrom(WorkerEntry entry) {
        return waitQueue.isEmpty() ? entry.tryAcquire() : waitQueue.acquireAfterWaiters(any, SlotSource.of(entry));
    }

    /** Acquires a slot regardless of waiters. */
    @Nullable
    SlotLease acquire(SlotRequest request, @Nullable Predicate<WorkerEntry> accepted) {
        return acquire(request, accepted, null);
    }

    private @Nullable SlotLease acquire(
            SlotRequest request, @Nullable Predicate<WorkerEntry> accepted, @Nullable WorkerEntry last) {
        String key = request.affinityKey();
        if (key != null) {
            AffinityTable table = affinities;
            return free.tryAcquireNear(table == null ? null : table.get(key), accepted);
        }
        return accepted == null ? free.tryAcquireBest(last) : free.tryAcquire(accepted, last);
    }

    /** The workers that meet the request's constraints; null for all. */
    static @Nullable Predicate<WorkerEntry> acceptedBy(SlotRequest request) {
        Constraints constraints = request.constraints();
        return request.isUnconstrained() ? null : entry -> constraints.accept(entry.stored());
    }

    /** A slot was acquired for the request: its affinity key, if any, moves to that worker. */
    void served(SlotRequest request, SlotLease lease) {
        String key = request.affinityKey();
        if (key != null) {
            try {
                affinities().served(key, lease);
            } catch (OutOfMemoryError lost) {
                // the preference is lost; the slot must not be
            }
        }
    }

    private AffinityTable affinities() {
        AffinityTable known = affinities;
        if (known == null) {
            synchronized (this) {
                known = affinities;
                if (known == null) {
                    known = rules.newAffinities();
                    affinities = known;
                }
            }
        }
        return known;
    }

    /** A slot of this worker has been released. */
    void offer(WorkerEntry entry) {
        if (!waitQueue.isEmpty()) {
            waitQueue.serve(SlotSource.of(entry));
        }
    }

    /** A watched worker has no slot in use any more. */
    void idle(WorkerEntry entry) {
        if (!waitQueue.deferIdle()) {
            rules.idleActions().idle(entry);
        }
    }

    /** Any watched worker may have no slot in use any more. Called with no lock held. */
    void checkIdle() {
        rules.idleActions().checkAll();
    }

    // ---- ends of leases ----

    LeaseEndFutures ends() {
        return rules.ends();
    }

    LeaseCheckCoordinator checks() {
        return rules.checks();
    }

    /** From now on, closed leases are reported to {@link LeaseEndFutures}. */
    void followCloses() {
        followsCloses = true;
    }

    /** A lease has been closed, void or not. */
    void closed(SlotLease lease) {
        if (followsCloses) {
            LeaseLeaks leaks = rules.leaks();
            if (leaks != null) {
                leaks.closed(lease);
            }
            if (lease.mark() == SlotLease.RELEASED) {
                lease.entry().requestSucceeded();
            }
            rules.ends().settle(lease);
        }
    }

    // ---- waiters ----

    SlotWaitQueue waitQueue() {
        return waitQueue;
    }

    /** The wait of a request has ended. Called with no lock held, once. */
    void waitEnded(Waiter waiter) {
        rules.waitEnded(waiter);
        String key = waiter.request().affinityKey();
        if (key != null && waiter.state() == Waiter.State.GRANTED) {
            affinities().readClock(); // not under the queue's lock, where the key was stored
            affinities().used(key);
        }
    }

    /** A change of this model may serve waiters, or make them unservable. */
    void changed() {
        if (!waitQueue.isEmpty()) {
            waitQueue.serve(this::acquire);
            waitQueue.failUnservable();
        }
    }

    /** Whether a worker that the request accepts has, or may get, a free slot. */
    boolean mayServe(SlotRequest request) {
        while (true) {
            int additions = free.additions();
            if (free.first(entry -> fits(entry.stored(), request) ? entry : null) != null) {
                return true;
            }
            if (additions == free.additions()) {
                return false;
            }
        }
    }

    private static boolean fits(WorkerInfo worker, SlotRequest request) {
        return request.constraints().accept(worker) && mayServe(worker.state());
    }

    private static boolean mayServe(WorkerState state) {
        return !(state instanceof Stopping stopping) || stopping.mayServeAgain();
    }
}
