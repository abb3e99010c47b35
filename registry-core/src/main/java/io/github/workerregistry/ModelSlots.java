package io.github.workerregistry;

import io.github.workerregistry.WorkerState.Stopping;
import org.jspecify.annotations.Nullable;

/**
 * The workers of one model: the search for a free slot among them, and the line of those who wait for one. Whoever asks
 * while others wait stands behind them.
 */
final class ModelSlots {

    private final String modelRef;
    private final FreeSlots free;
    private final WaitingLine line;
    private final @Nullable LeaseLeaks leaks;
    private final ModelHistory history;
    private final LeaseEnds ends;
    private final LeaseChecks checks;
    private volatile boolean followsCloses;
    private volatile @Nullable Departure lastDeparture;

    ModelSlots(String modelRef, SlotRules rules) {
        this.modelRef = modelRef;
        this.leaks = rules.leaks();
        this.history = rules.history();
        this.ends = rules.ends();
        this.checks = rules.checks();
        this.followsCloses = leaks != null;
        this.free = new FreeSlots(rules.selection());
        this.line = new WaitingLine(this, rules.waitQueueCapacity());
    }

    String modelRef() {
        return modelRef;
    }

    FreeSlots free() {
        return free;
    }

    // ---- membership: under the registry's write lock ----

    void add(Entry entry) {
        entry.join(this);
        free.add(entry);
    }

    void remove(Entry entry, @Nullable Exit exit) {
        free.remove(entry);
        lastDeparture = new Departure(entry.names().backend(), entry.names().device(), exit);
    }

    /** What kind of worker left last, and how it ended if that was seen. */
    private record Departure(
            String backend, int device, @Nullable Exit exit) {}

    /** Whether nobody is here, and nobody waits for somebody to come. */
    boolean isUnused() {
        return free.isEmpty() && line.isEmpty();
    }

    /** Ends this for ever if it is unused; whoever still comes to the line is sent to the table again. */
    boolean retire() {
        return free.isEmpty() && line.close();
    }

    /** Why it is in vain to wait with that filter, for a caller that has waited since then. */
    NoSuchModelException noHope(SlotFilter filter, long sinceNanos) {
        Departure left = lastDeparture;
        Exit exit = left != null && filter.fits(left.backend(), left.device()) ? left.exit() : null;
        return new NoSuchModelException(shortage(filter, sinceNanos), filter, exit);
    }

    /** The state of this model, for a caller that has waited since then and got no slot. */
    SlotShortage shortage(SlotFilter filter, long sinceNanos) {
        return SlotShortage.of(modelRef, this, filter, sinceNanos, history);
    }

    // ---- slots ----

    /**
     * Takes a slot of the worker that the caller used last, if nobody waits and no other is better, or returns null.
     */
    @Nullable
    SlotLease tryTakeAgain(Entry last) {
        return line.isEmpty() ? free.tryTakeAgain(last) : null;
    }

    /**
     * Takes a slot of any worker, unless those who wait need it, or returns null.
     *
     * @param last the worker that this thread used last, see {@link FreeSlots#tryTakeBest}
     */
    @Nullable
    SlotLease tryTakeBest(@Nullable Entry last) {
        return line.isEmpty() ? free.tryTakeBest(last) : line.takeBehind(SlotFilter.any(), this::take);
    }

    /**
     * Takes a slot of a worker that fits, unless those who wait need it, or returns null.
     *
     * @param last the worker that this thread used last, see {@link FreeSlots#tryTake}
     */
    @Nullable
    SlotLease tryTake(SlotFilter filter, @Nullable Entry last) {
        return line.isEmpty() ? free.tryTake(filter, last) : line.takeBehind(filter, this::take);
    }

    /** Takes a slot of one worker, unless those who wait need it, or returns null. */
    @Nullable
    SlotLease tryTakeFrom(Entry entry) {
        return line.isEmpty() ? entry.tryTake() : line.takeBehind(SlotFilter.any(), SlotSource.of(entry));
    }

    /** Takes a slot, as if nobody waited. */
    @Nullable
    SlotLease take(SlotFilter filter) {
        return filter.isAny() ? free.tryTakeBest(null) : free.tryTake(filter, null);
    }

    /** A slot of this worker has been given back, or what a filter sees of it has changed. */
    void offer(Entry entry) {
        if (!line.isEmpty()) {
            line.serve(SlotSource.of(entry));
        }
    }

    // ---- ends of leases ----

    LeaseEnds ends() {
        return ends;
    }

    LeaseChecks checks() {
        return checks;
    }

    /** From now on somebody wants to know of closed leases. */
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

    // ---- those who wait ----

    WaitingLine line() {
        return line;
    }

    /** Something has changed here that may serve those who wait, or take away their hope. */
    void changed() {
        if (!line.isEmpty()) {
            line.serve(this::take);
            line.sendAwayWithoutHope();
        }
    }

    /** Whether a worker is here that fits and will, or may, have a slot one day. */
    boolean mayServe(SlotFilter filter) {
        while (true) {
            int arrivals = free.arrivals();
            if (free.first(entry -> fits(entry.names(), filter) ? entry : null) != null) {
                return true;
            }
            if (arrivals == free.arrivals()) {
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
                || stopping.reason() == Exit.Cause.RESTART;
    }
}
