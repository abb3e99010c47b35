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
 * A worker in the registry: its occupancy in one atomic word, everything else in one immutable value.
 *
 * <p>Leases change only the word. Transitions run under the registry's write lock: a compare-and-set changes the word
 * and sets its moving bit; then the value is replaced; then the bit is cleared. So a lease and a transition compete for
 * the word, and exactly one wins. A reader that sees the moving bit waits for the transition on the registry's lock
 * (see {@link #snapshot}).
 */
final class WorkerEntry {

    private static final VarHandle WORD;
    private static final VarHandle VALUE;
    private static final WorkerState IDLE = new Idle();
    private static final WorkerState BUSY = new Busy();

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            WORD = lookup.findVarHandle(WorkerEntry.class, "word", long.class);
            VALUE = lookup.findVarHandle(WorkerEntry.class, "value", WorkerInfo.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile WorkerInfo value; // the first reference, so that it is adjacent to the word

    private final String modelRef; // also in the value, but in another cache line
    private int slots; // these two change with a generation, under the write lock, while no slot can be acquired
    private long acquireDelta;
    private @Nullable ModelSlots model; // these three are set once, before publication
    private FreeSlots.@Nullable Node leaf;
    private int place;
    private Incarnation incarnation; // these two too
    private String url;

    /**
     * Padding: keeps the word out of the cache lines of neighbouring objects, which other threads may write. Without
     * it, two threads are five times slower when the collector has moved the objects together. HotSpot lays out longs
     * in declaration order, then smaller numbers, then references in declaration order: p1 to p7 precede the word; the
     * value and q1 to q9 follow it.
     */
    @SuppressWarnings("UnusedVariable")
    private long p1, p2, p3, p4, p5, p6, p7;

    @SuppressWarnings("UnusedVariable")
    private @Nullable Object q1, q2, q3, q4, q5, q6, q7, q8, q9;

    private volatile @Nullable Exit lastExit; // after the padding: written once per generation

    /** Checks of failed leases in a row that found this incarnation alive. Approximate under concurrent resets. */
    private volatile int failedRequests;

    private volatile long word;

    /** No slot can be acquired before {@link #beginLeasing}. Read and written under the registry's write lock. */
    private boolean held;

    WorkerEntry(WorkerInfo worker) {
        modelRef = worker.modelRef();
        slots = worker.slotsTotal();
        acquireDelta = Occupancy.acquireDelta(slots);
        incarnation = worker.incarnation();
        url = worker.url();
        value = worker;
        word = Occupancy.of(worker, worker.state() instanceof Busy, 0);
    }

    // ---- position among the workers of its model ----

    void setPlace(FreeSlots.Node leaf, int place) {
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

    /** The load level, see {@link FreeSlots#level}; {@link FreeSlots#NONE} if no slot can be acquired. */
    int level() {
        return level(word);
    }

    private int level(long seen) {
        if (!Occupancy.canAcquire(seen, slots)) {
            return FreeSlots.NONE;
        }
        int inUse = Occupancy.inUse(seen);
        return inUse == 0 ? 0 : model().free().level(inUse, slots);
    }

    int slotsInUse() {
        return Occupancy.inUse(word);
    }

    /** Whether it accepts requests, if it has a free slot. */
    boolean isRoutable() {
        return Occupancy.isLeased(word);
    }

    /** Whether a smaller share of its slots is in use than of the other's. */
    boolean isLessLoadedThan(WorkerEntry other) {
        return (long) Occupancy.inUse(word) * other.slots < (long) Occupancy.inUse(other.word) * slots;
    }

    // ---- leases: no lock ----

    /** Acquires one slot; null if none is free. */
    @Nullable
    SlotLease tryAcquire() {
        for (long seen = word; Occupancy.canAcquire(seen, slots); seen = word) {
            SlotLease lease = acquireOnce(seen);
            if (lease != null) {
                return lease;
            }
        }
        return null;
    }

    /** Acquires one slot unless the word has changed. */
    private @Nullable SlotLease acquireOnce(long seen) {
        long acquired = Occupancy.acquire(seen, acquireDelta);
        // Allocated before the slot is acquired: memory may run out. Incarnation and url belong to the word: they
        // change only while no slot can be acquired.
        SlotLease lease = new SlotLease(this, url, incarnation, Occupancy.stamp(acquired));
        if (!WORD.compareAndSet(this, seen, acquired)) {
            return null;
        }
        FreeSlots.note(this, level(acquired));
        return lease;
    }

    /** Releases a slot acquired under that stamp; false if the lease is void. */
    boolean release(int stamp) {
        for (long seen = word; Occupancy.isHeldUnder(seen, stamp); seen = word) {
            long released = Occupancy.release(seen);
            if (WORD.compareAndSet(this, seen, released)) {
                FreeSlots.note(this, level(released));
                model().offer(this);
                if (Occupancy.endsWatch(released)) {
                    model().idle(this);
                }
                return true;
            }
        }
        return false;
    }

    /** Releases a slot; no slot can be acquired before {@link #endChecking}. */
    boolean releaseFailed(int stamp) {
        for (long seen = word; Occupancy.isHeldUnder(seen, stamp); seen = word) {
            long released = Occupancy.releaseFailed(seen);
            if (WORD.compareAndSet(this, seen, released)) {
                if (Occupancy.endsWatch(released)) {
                    model().idle(this);
                }
                return true;
            }
        }
        return false;
    }

    /** If a slot is in use, the release of the last one calls {@link ModelSlots#idle}; else returns false. */
    boolean watch() {
        while (true) {
            long seen = word;
            boolean inUse = Occupancy.inUse(seen) > 0;
            long next = inUse ? Occupancy.watched(seen) : Occupancy.unwatched(seen);
            if (next == seen || WORD.compareAndSet(this, seen, next)) {
                return inUse;
            }
        }
    }

    /**
     * No slot of a worker that loads can be acquired before {@link #beginLeasing}, or the next generation. Called under
     * the registry's write lock.
     *
     * @return false if it is not loading; then nothing has changed
     */
    boolean holdLeasing() {
        boolean loads = value.state() instanceof Loading;
        if (loads) {
            endLeasing();
            held = true;
        }
        return loads;
    }

    /**
     * Slots can be acquired again, or as soon as it is routable. Called under the registry's write lock.
     *
     * @return false if it is not held; then nothing has changed
     */
    boolean beginLeasing() {
        boolean begins = held;
        if (begins) { // it has had no lease, so no failed one is being checked
            held = false;
            endChecking();
            FreeSlots.note(this);
        }
        return begins;
    }

    /** No slot can be acquired before the next generation. Called under the registry's write lock. */
    void endLeasing() {
        held = false;
        long seen = word;
        while (!Occupancy.isRemoved(seen) && !WORD.compareAndSet(this, seen, Occupancy.checking(seen))) {
            seen = word;
        }
        FreeSlots.note(this);
    }

    boolean isChecking() {
        return Occupancy.isChecking(word);
    }

    /** Makes slots acquirable again; {@link #offer} must follow. */
    void endChecking() {
        long seen = word;
        while (Occupancy.isChecking(seen) && !WORD.compareAndSet(this, seen, Occupancy.checked(seen))) {
            seen = word;
        }
    }

    /** A check after a failed lease has found the worker alive. Returns how many have, since a request succeeded. */
    int countFailedRequest() {
        model().followCloses();
        int failures = failedRequests + 1;
        failedRequests = failures;
        return failures;
    }

    /** A lease was closed normally. */
    void requestSucceeded() {
        if (failedRequests != 0) {
            failedRequests = 0;
        }
    }

    int failedRequests() {
        return failedRequests;
    }

    /** Offers free slots to waiters and marks them in the index. */
    void offer() {
        FreeSlots.note(this);
        model().offer(this);
    }

    boolean isHeldUnder(int stamp) {
        return Occupancy.isHeldUnder(word, stamp);
    }

    // ---- reads: no lock ----

    boolean isRemoved() {
        return Occupancy.isRemoved(word);
    }

    boolean isUsed() {
        return Occupancy.isUsed(word);
    }

    /**
     * Sets {@code lastActivity} to now if the worker was used since the last call. The time is set before the used bit
     * is cleared, so that one of the two shows the activity at any moment. If the time does not advance, the bit stays
     * set.
     */
    void stampActivity(Instant now) {
        long seen = word;
        if (Occupancy.isUsed(seen) && value.lastActivity().isBefore(now)) {
            update(worker -> worker.lastActivity().isBefore(now)
                    ? worker.toBuilder().lastActivity(now).build()
                    : worker); // an older clock reading never moves it back
            WORD.compareAndSet(this, seen, Occupancy.clearUsed(seen));
        }
    }

    void beat(Instant now) {
        update(worker -> beaten(worker, now));
    }

    /** Only if the worker is in that generation, which is tested in the same compare-and-set. */
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

    /** Returns whether the worker is that incarnation, which is tested in the same compare-and-set. */
    boolean clearFailedHealthChecks(Incarnation passed) {
        WorkerInfo worker = value;
        while (worker.incarnation().equals(passed)) {
            WorkerInfo cleared = worker.failedHealthChecks() == 0
                    ? worker
                    : worker.toBuilder().failedHealthChecks(0).build();
            if (VALUE.compareAndSet(this, worker, cleared)) {
                return true;
            }
            worker = value;
        }
        return false;
    }

    /**
     * A consistent snapshot; null during a transition or after the removal. Never null in the table under the
     * registry's lock.
     */
    @Nullable
    @SuppressWarnings("ReferenceEquality") // identity: the word was read while that value was current
    WorkerInfo snapshot() {
        WorkerInfo worker;
        long seen;
        do {
            worker = value;
            seen = word;
        } while (worker != value);
        return Occupancy.isReadable(seen) ? worker.withSlotsInUse(Occupancy.inUse(seen)) : null;
    }

    /** A faster snapshot of an Idle worker that was not used since it was last read; null for any other. */
    @Nullable
    @SuppressWarnings("ReferenceEquality") // as above
    WorkerInfo snapshotAtRest() {
        WorkerInfo worker;
        long seen;
        do {
            worker = value;
            seen = word;
        } while (worker != value);
        return Occupancy.isAtRest(seen) ? worker : null;
    }

    /**
     * A snapshot; during a transition the state before or after it, after the removal the last state. For a holder of
     * the registry's lock, and for leases, which may outlive their worker.
     */
    WorkerInfo last() {
        WorkerInfo now = snapshot();
        if (now != null) {
            return now;
        }
        long seen = word;
        return Occupancy.isRemoved(seen) ? value : last(seen);
    }

    /** The worker under a word read before, at which it was not removed. */
    private WorkerInfo last(long seen) {
        WorkerInfo worker = value;
        return worker.state().routable() ? worker.withSlotsInUse(Occupancy.inUse(seen)) : worker;
    }

    /** The exit of that incarnation; null if unknown. */
    @Nullable
    Exit exitOf(Incarnation ended) {
        Exit exit = lastExit;
        return exit != null && exit.incarnation().equals(ended) ? exit : null;
    }

    /** The label of its current state; during a transition, of the state before or after it. */
    String stateLabel() {
        WorkerState state = value.state();
        return (state.routable() ? Occupancy.inUse(word) == 0 ? IDLE : BUSY : state).label();
    }

    /**
     * The record as last written, for constant components and those that may be slightly stale; its occupancy is not
     * current.
     */
    WorkerInfo stored() {
        return value;
    }

    // ---- transitions: under the registry's write lock ----

    /** A worker before and after a transition; equal if nothing changed. */
    record Change(WorkerInfo before, WorkerInfo after) {
        boolean isTransition() {
            return !before.state().equals(after.state());
        }
    }

    /**
     * Transitions to {@code next}.
     *
     * @param condition required for the transition
     * @return the change; empty if the condition does not hold
     * @throws IllegalTransitionException if there is no such transition, or leases are open and the hive reports an
     *     occupancy
     */
    Optional<Change> changeState(WorkerState next, Instant now, Precondition condition) {
        return changeState(next, now, condition, worker -> worker.step(next, now));
    }

    /** Transitions from BackingOff to Loading, the next generation, at {@code url}. */
    Optional<Change> restart(Loading next, String url, Instant now, Precondition condition) {
        return changeState(
                next,
                now,
                condition,
                worker -> worker.step(next, now).toBuilder().url(url).build());
    }

    /** As {@link #restart}, with the properties of another specification. */
    Optional<Change> replace(Loading next, WorkerInfo properties, Instant now, Precondition condition) {
        return changeState(
                next,
                now,
                condition,
                worker -> worker.step(next, now).toBuilder()
                        .url(properties.url())
                        .backend(properties.backend())
                        .device(properties.device())
                        .slotsTotal(properties.slotsTotal())
                        .labels(properties.labels())
                        .build());
    }

    /** The model's last failure is read from this exit. */
    private void requireModel(WorkerState next) {
        if (next instanceof BackingOff backingOff
                && !backingOff.exit().modelRef().equals(modelRef)) {
            throw new IllegalArgumentException("the exit must be of model " + modelRef + ", was of "
                    + backingOff.exit().modelRef());
        }
    }

    private Optional<Change> changeState(
            WorkerState next, Instant now, Precondition condition, UnaryOperator<WorkerInfo> step) {
        while (true) {
            stampActivity(now);
            long seen = word;
            WorkerInfo stored = value;
            WorkerInfo before = stored.withSlotsInUse(Occupancy.inUse(seen));
            if (!condition.holds(before, seen)) {
                return Optional.empty();
            }
            if (next instanceof BackingOff backingOff && !isOf(backingOff.exit().incarnation())) {
                return Optional.empty(); // the exit of an earlier incarnation
            }
            requireModel(next);
            requireLegal(before, seen, next);
            if (next instanceof BackingOff backingOff) {
                lastExit = backingOff.exit(); // before the word: read by threads that find a lease void
            }
            if (next.equals(before.state()) && next.routable()) {
                return Optional.of(new Change(before, before));
            }
            // A reported occupancy ends when the worker is no longer routable: no lease would release those slots.
            int leased = Occupancy.isReported(seen) && !next.routable() ? 0 : before.slotsInUse();
            WorkerInfo after = step.apply(before.withSlotsInUse(leased));
            boolean reported = next instanceof Busy;
            boolean restarts = after.generation() != before.generation();
            long moving = Occupancy.moving(Occupancy.of(after, reported, restarts ? Occupancy.checked(seen) : seen));
            if (WORD.compareAndSet(this, seen, restarts || reported ? Occupancy.restamp(moving) : moving)) {
                if (restarts) {
                    incarnation = after.incarnation();
                    failedRequests = 0;
                    held = false;
                    resize(after.slotsTotal());
                }
                url = after.url();
                // Reuses the allocated value, because memory may run out; a heartbeat may have replaced the stored one
                // meanwhile.
                if (!VALUE.compareAndSet(this, stored, after)) {
                    update(worker -> step.apply(worker.withSlotsInUse(leased)));
                }
                endMove();
                return Optional.of(new Change(before, after));
            }
        }
    }

    private void resize(int slotsTotal) {
        if (slots != slotsTotal) {
            slots = slotsTotal;
            acquireDelta = Occupancy.acquireDelta(slotsTotal);
            model().free().resized(this);
        }
    }

    /** Clears the moving bit; leases may change the word concurrently. */
    private void endMove() {
        long seen = word;
        while (!WORD.compareAndSet(this, seen, Occupancy.moved(seen))) {
            seen = word;
        }
    }

    /**
     * Marks this entry as removed: its leases are void, and no slot can be acquired.
     *
     * @param condition required for the removal
     * @param exit the exit of its process; null if unknown
     * @return the worker's last state; empty if the condition does not hold
     */
    Optional<WorkerInfo> remove(Precondition condition, @Nullable Exit exit) {
        while (true) {
            long seen = word;
            WorkerInfo last = value.withSlotsInUse(Occupancy.inUse(seen));
            if (!condition.holds(last, seen)) {
                return Optional.empty();
            }
            if (exit != null) {
                lastExit = exit;
            }
            if (WORD.compareAndSet(this, seen, Occupancy.REMOVED)) {
                update(worker -> worker.withSlotsInUse(Occupancy.inUse(seen))); // for leases that outlive it
                return Optional.of(value);
            }
        }
    }

    /** Sets or clears the suspicion; false if it is unchanged. */
    boolean suspect(boolean now) {
        boolean changes = value.suspected() != now;
        if (changes) {
            update(worker -> worker.toBuilder().suspected(now).build());
        }
        return changes;
    }

    /** Changes components other than state and occupancy. */
    void update(UnaryOperator<WorkerInfo> step) {
        WorkerInfo worker = value;
        while (!VALUE.compareAndSet(this, worker, step.apply(worker))) {
            worker = value;
        }
    }

    boolean meets(Precondition condition) {
        return condition.holds(last(), word);
    }

    boolean isOf(Incarnation other) {
        return incarnation.equals(other);
    }

    private static void requireLegal(WorkerInfo worker, long seen, WorkerState next) {
        if (!worker.state().canBecome(next)) {
            throw new IllegalTransitionException(worker, next, "there is no such transition");
        }
        if (worker.state() instanceof Busy && next.routable() && !Occupancy.isReported(seen)) {
            throw new IllegalTransitionException(
                    worker, next, worker.slotsInUse() + " slots are leased and cannot be reported");
        }
    }
}
