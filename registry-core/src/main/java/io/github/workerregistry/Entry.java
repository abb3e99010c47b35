package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One worker in the table: its occupancy in one atomic word, all the rest in one immutable value.
 *
 * <p>Leases move only the word. Transitions are made under the registry's write lock and move the word first, by
 * compare-and-set, and mark it as moving; then the value; then they take the mark away. So a lease and a transition
 * compete for the word, and exactly one wins. A reader that sees the mark waits for the transition on the registry's
 * lock (see {@link #peek}).
 */
final class Entry {

    private static final VarHandle WORD;
    private static final VarHandle VALUE;
    private static final WorkerState IDLE = new Idle();
    private static final WorkerState BUSY = new Busy();

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            WORD = lookup.findVarHandle(Entry.class, "word", long.class);
            VALUE = lookup.findVarHandle(Entry.class, "value", WorkerInfo.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile WorkerInfo value; // the first reference, so that it lies beside the word

    private final String modelRef; // the value has it, too, but in another cache line
    private final int slots;
    private final long takingOne;
    private @Nullable ModelSlots model; // these three are set once, before anybody else can see this entry
    private FreeSlots.@Nullable Node leaf;
    private int place;
    private boolean suspected; // guarded by the registry's write lock
    private int generation; // these two move under the write lock, while the word lets nobody take a slot
    private String url;

    /**
     * These two keep the word out of the cache lines of its neighbours in memory, which other threads may be using:
     * without them, two threads are five times slower whenever the collector has moved the objects together. HotSpot
     * lays out longs as they are declared, then smaller numbers, then references as they are declared: p1 to p7 stand
     * before the word, the value and q1 to q9 after it.
     */
    @SuppressWarnings("UnusedVariable")
    private long p1, p2, p3, p4, p5, p6, p7;

    @SuppressWarnings("UnusedVariable")
    private @Nullable Object q1, q2, q3, q4, q5, q6, q7, q8, q9;

    private volatile @Nullable Exit lastExit; // behind them, because it is written once in a generation

    private volatile long word;

    Entry(WorkerInfo worker) {
        modelRef = worker.modelRef();
        slots = worker.slotsTotal();
        takingOne = Occupancy.takingOneOf(slots);
        generation = worker.generation();
        url = worker.url();
        value = worker;
        word = Occupancy.of(worker, worker.state() instanceof Busy, 0);
    }

    // ---- its place among the workers of its model ----

    void takePlace(FreeSlots.Node leaf, int place) {
        this.leaf = leaf;
        this.place = place;
    }

    void join(ModelSlots model) {
        this.model = model;
    }

    FreeSlots.Node leaf() {
        return requireNonNull(leaf);
    }

    int place() {
        return place;
    }

    int slots() {
        return slots;
    }

    ModelSlots model() {
        return requireNonNull(model);
    }

    String modelRef() {
        return modelRef;
    }

    /** How loaded it is, see {@link FreeSlots#level}; none if no slot can be taken. */
    int level() {
        return level(word);
    }

    private int level(long seen) {
        if (!Occupancy.canTake(seen, slots)) {
            return FreeSlots.NONE;
        }
        int inUse = Occupancy.inUse(seen);
        return inUse == 0 ? 0 : model().free().level(inUse, slots);
    }

    /** Whether a smaller share of its slots is in use than of another's. */
    boolean isLessLoadedThan(Entry other) {
        return (long) Occupancy.inUse(word) * other.slots < (long) Occupancy.inUse(other.word) * slots;
    }

    // ---- leases: no lock ----

    /** Takes one slot, or returns null if none is free. */
    @Nullable
    SlotLease tryTake() {
        for (long seen = word; Occupancy.canTake(seen, slots); seen = word) {
            SlotLease lease = takeOnce(seen);
            if (lease != null) {
                return lease;
            }
        }
        return null;
    }

    /**
     * Takes one slot if the worker passes, or returns null. A filter may look at how many slots are in use: if that
     * changes behind its back, it is asked again.
     */
    @Nullable
    SlotLease tryTake(SlotFilter filter) {
        for (long seen = word; Occupancy.canTake(seen, slots) && filter.accepts(last(seen)); seen = word) {
            SlotLease lease = takeOnce(seen);
            if (lease != null) {
                return lease;
            }
        }
        return null;
    }

    /** Takes one slot unless the word has moved. */
    private @Nullable SlotLease takeOnce(long seen) {
        long taken = Occupancy.take(seen, takingOne);
        // The lease is made before the slot is taken: there may be no memory for it. Its generation and url are those
        // of the word, because they move only while no slot can be taken.
        SlotLease lease = new SlotLease(this, url, generation, Occupancy.stamp(taken));
        if (!WORD.compareAndSet(this, seen, taken)) {
            return null;
        }
        FreeSlots.note(this, level(taken));
        return lease;
    }

    /** Gives back a slot that was taken under that stamp; does nothing, and says so, if the worker has moved on. */
    boolean give(int stamp) {
        for (long seen = word; Occupancy.isHeldUnder(seen, stamp); seen = word) {
            long given = Occupancy.give(seen);
            if (WORD.compareAndSet(this, seen, given)) {
                FreeSlots.note(this, level(given));
                model().offer(this);
                return true;
            }
        }
        return false;
    }

    /** The same, but no slot can be taken before {@link #endChecking}. */
    boolean giveFailed(int stamp) {
        for (long seen = word; Occupancy.isHeldUnder(seen, stamp); seen = word) {
            if (WORD.compareAndSet(this, seen, Occupancy.giveFailed(seen))) {
                return true;
            }
        }
        return false;
    }

    /** No slot can be taken before the next generation. Under the registry's write lock. */
    void endLeasing() {
        long seen = word;
        while (!Occupancy.isGone(seen) && !WORD.compareAndSet(this, seen, Occupancy.checking(seen))) {
            seen = word;
        }
        FreeSlots.note(this);
    }

    boolean isChecking() {
        return Occupancy.isChecking(word);
    }

    /** Lets slots be taken again; {@link #offer} has to follow. */
    void endChecking() {
        long seen = word;
        while (Occupancy.isChecking(seen) && !WORD.compareAndSet(this, seen, Occupancy.checked(seen))) {
            seen = word;
        }
    }

    /** Lets its free slots be found, by those who wait first. */
    void offer() {
        FreeSlots.note(this);
        model().offer(this);
    }

    boolean isHeldUnder(int stamp) {
        return Occupancy.isHeldUnder(word, stamp);
    }

    // ---- looking: no lock ----

    boolean isUsed() {
        return Occupancy.isUsed(word);
    }

    /**
     * Moves {@code lastActivity} to now if the worker did something since the last look. The time is moved before the
     * mark is taken away, so that at every moment one of the two tells of the work; and if the time cannot be moved,
     * because no time has passed, the mark stays.
     */
    void stampActivity(Instant now) {
        long seen = word;
        if (Occupancy.isUsed(seen) && value.lastActivity().isBefore(now)) {
            update(worker -> worker.lastActivity().isBefore(now)
                    ? worker.toBuilder().lastActivity(now).build()
                    : worker); // a look with an older clock reading moves nothing back
            WORD.compareAndSet(this, seen, Occupancy.clearUsed(seen));
        }
    }

    void beat(Instant now) {
        update(worker -> beaten(worker, now));
    }

    /** Only if the worker is in that generation, which is looked at in the step that notes the beat. */
    boolean beat(Instant now, int generation) {
        AtomicBoolean noted = new AtomicBoolean();
        update(worker -> {
            noted.set(worker.generation() == generation);
            return noted.get() ? beaten(worker, now) : worker;
        });
        return noted.get();
    }

    private static WorkerInfo beaten(WorkerInfo worker, Instant now) {
        return worker.lastHeartbeat().filter(now::isBefore).isPresent()
                ? worker
                : worker.toBuilder().lastHeartbeat(now).build();
    }

    void clearFailedHealthChecks() {
        if (value.failedHealthChecks() > 0) {
            update(worker -> worker.toBuilder().failedHealthChecks(0).build());
        }
    }

    /** The worker now, or null in the moment of a transition; never null to a caller that holds the registry's lock. */
    @Nullable
    @SuppressWarnings("ReferenceEquality") // the very same: the word was read while that value was the last
    WorkerInfo peek() {
        WorkerInfo worker;
        long seen;
        do {
            worker = value;
            seen = word;
        } while (worker != value);
        return Occupancy.isReadable(seen) ? worker.withSlotsInUse(Occupancy.inUse(seen)) : null;
    }

    /** The same, faster, of an Idle worker that has not been used since the last look; null of any other. */
    @Nullable
    @SuppressWarnings("ReferenceEquality") // as above
    WorkerInfo peekAtRest() {
        WorkerInfo worker;
        long seen;
        do {
            worker = value;
            seen = word;
        } while (worker != value);
        return Occupancy.isAtRest(seen) ? worker : null;
    }

    /**
     * The worker as it is, or, in the moment of a transition, before or after that; or as it was last. For a holder of
     * the registry's lock, and for a lease, which may outlive its worker.
     */
    WorkerInfo last() {
        WorkerInfo now = peek();
        if (now != null) {
            return now;
        }
        long seen = word;
        return Occupancy.isGone(seen) ? value : last(seen);
    }

    /** The same, under a word that was read before, of a worker that was here then. */
    private WorkerInfo last(long seen) {
        WorkerInfo worker = value;
        return worker.state().routable() ? worker.withSlotsInUse(Occupancy.inUse(seen)) : worker;
    }

    /** How its process of that generation ended; null if that is not known. */
    @Nullable
    Exit exitOf(int ofGeneration) {
        Exit exit = lastExit;
        return exit != null && exit.generation() == ofGeneration ? exit : null;
    }

    /** The label of its state now; in the moment of a transition, of the one before or after that. */
    String stateLabel() {
        WorkerState state = value.state();
        return (state.routable() ? Occupancy.inUse(word) == 0 ? IDLE : BUSY : state).label();
    }

    /** The record as it was written last; for what in it never changes, or may be a moment old. Its slots are not. */
    WorkerInfo names() {
        return value;
    }

    // ---- transitions: under the registry's write lock ----

    /** What must hold of a worker for a transition to be made. */
    @FunctionalInterface
    interface Condition {
        boolean holds(WorkerInfo now, long word);

        static Condition none() {
            return (now, word) -> true;
        }

        /** Nothing has happened to it since. */
        static Condition unchangedSince(WorkerInfo then) {
            return (now, word) -> isUnchanged(now, word, then);
        }

        /** It is the same process, whatever that has done since. */
        static Condition sameAs(WorkerInfo then) {
            return (now, word) -> isSame(now, then);
        }
    }

    /** A worker before and after a transition; equal if there was nothing to change. */
    record Change(WorkerInfo before, WorkerInfo after) {
        boolean isEdge() {
            return !before.state().equals(after.state());
        }
    }

    /**
     * Goes to {@code next}.
     *
     * @param condition what must hold for it
     * @return what changed, or empty if the condition does not hold
     * @throws IllegalTransitionException if there is no such edge, or leases are open and the host reports an occupancy
     */
    Optional<Change> changeState(WorkerState next, Instant now, Condition condition) {
        return changeState(next, now, condition, worker -> worker.step(next, now));
    }

    /** Goes from BackingOff to Loading, the next generation, which is reached at {@code url}. */
    Optional<Change> restart(Loading next, String url, Instant now, Condition condition) {
        return changeState(
                next,
                now,
                condition,
                worker -> worker.step(next, now).toBuilder().url(url).build());
    }

    private Optional<Change> changeState(
            WorkerState next, Instant now, Condition condition, UnaryOperator<WorkerInfo> step) {
        while (true) {
            stampActivity(now);
            long seen = word;
            WorkerInfo stored = value;
            WorkerInfo before = stored.withSlotsInUse(Occupancy.inUse(seen));
            if (!condition.holds(before, seen)) {
                return Optional.empty();
            }
            if (next instanceof BackingOff backingOff && backingOff.cause().generation() != before.generation()) {
                return Optional.empty(); // the end of an earlier generation
            }
            requireLegal(before, seen, next);
            if (next instanceof BackingOff backingOff) {
                lastExit = backingOff.cause(); // before the word: who finds a lease void looks for it
            }
            if (next.equals(before.state()) && next.routable()) {
                return Optional.of(new Change(before, before));
            }
            // What the host reported ends with its being routable: nobody could give those slots back.
            int leased = Occupancy.isReported(seen) && !next.routable() ? 0 : before.slotsInUse();
            WorkerInfo after = step.apply(before.withSlotsInUse(leased));
            boolean reported = next instanceof Busy;
            boolean restarts = after.generation() != before.generation();
            long moving = Occupancy.moving(Occupancy.of(after, reported, restarts ? Occupancy.checked(seen) : seen));
            if (WORD.compareAndSet(this, seen, restarts || reported ? Occupancy.restamp(moving) : moving)) {
                generation = after.generation();
                url = after.url();
                // The value is made already: there may be no memory for another. But a beat may have come in between.
                if (!VALUE.compareAndSet(this, stored, after)) {
                    update(worker -> step.apply(worker.withSlotsInUse(leased)));
                }
                endMove();
                suspected &= !restarts; // a new process is under no suspicion
                return Optional.of(new Change(before, after));
            }
        }
    }

    /** Takes the mark away; leases may be moving the word meanwhile. */
    private void endMove() {
        long seen = word;
        while (!WORD.compareAndSet(this, seen, Occupancy.moved(seen))) {
            seen = word;
        }
    }

    /**
     * Ends this entry's part in the table: its leases are void and none can be taken.
     *
     * @param unlessChangedSince if not null, leave only if nothing happened to the worker since then
     * @param exit how its process ended; null if that is not known
     * @return the worker as it was last, or empty if something happened since
     */
    Optional<WorkerInfo> leave(@Nullable WorkerInfo unlessChangedSince, @Nullable Exit exit) {
        while (true) {
            long seen = word;
            WorkerInfo last = value.withSlotsInUse(Occupancy.inUse(seen));
            if (unlessChangedSince != null && !isUnchanged(last, seen, unlessChangedSince)) {
                return Optional.empty();
            }
            if (exit != null) {
                lastExit = exit;
            }
            if (WORD.compareAndSet(this, seen, Occupancy.GONE)) {
                update(worker -> worker.withSlotsInUse(Occupancy.inUse(seen))); // for leases that outlive it
                return Optional.of(value);
            }
        }
    }

    /** Puts the worker under suspicion, or clears it; false if that is how it is already. */
    boolean suspect(boolean now) {
        boolean changes = suspected != now;
        suspected = now;
        return changes;
    }

    /** Changes what is neither state nor occupancy. */
    void update(UnaryOperator<WorkerInfo> step) {
        WorkerInfo worker = value;
        while (!VALUE.compareAndSet(this, worker, step.apply(worker))) {
            worker = value;
        }
    }

    /** Whether the worker is where {@code then} saw it; an idle one, moreover, has not been used in between. */
    boolean isUnchangedSince(WorkerInfo then) {
        return isUnchanged(last(), word, then);
    }

    private static boolean isUnchanged(WorkerInfo now, long seen, WorkerInfo then) {
        return isSame(now, then)
                && now.state().equals(then.state())
                && !(then.state() instanceof Idle
                        && (Occupancy.isUsed(seen) || !now.lastActivity().equals(then.lastActivity())));
    }

    private static boolean isSame(WorkerInfo now, WorkerInfo then) {
        return now.generation() == then.generation()
                && now.startedAt().equals(then.startedAt()); // and not another worker under the same id
    }

    private static void requireLegal(WorkerInfo worker, long seen, WorkerState next) {
        if (!worker.state().canBecome(next)) {
            throw new IllegalTransitionException(worker, next, "the life of a worker has no such edge");
        }
        if (worker.state() instanceof Busy && next.routable() && !Occupancy.isReported(seen)) {
            throw new IllegalTransitionException(
                    worker, next, worker.slotsInUse() + " slots are leased, and leases count them");
        }
    }
}
