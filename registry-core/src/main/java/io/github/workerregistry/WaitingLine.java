package io.github.workerregistry;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Those who wait for a slot of one model, first come, first served.
 *
 * <p>A slot is handed over: whoever frees it takes it for the first in the line that it fits, and only then may others
 * have it. So nobody can overtake, and nobody wakes up in vain. A place in the line is entered, served and left under
 * one small lock, which nobody touches while the line is empty: who frees a slot writes the worker's word and then
 * looks whether the line is empty; who joins the line does so and then looks for a slot, and for hope. One of the two
 * sees the other.
 *
 * <p>Whoever frees a slot offers just that one, so the line costs as much as there are different filters in it, however
 * many callers wait and workers there are. Slots come free while it is walked. So each in turn leaves alone what
 * somebody ahead, who found nothing a moment ago, would take now; then the line is walked again, and everything that is
 * free is offered.
 *
 * <p>Filters are foreign code and run while the lock is held; they may look at the registry. So the lock is taken
 * before the registry's, never while that or a bin of the table of models is held.
 *
 * <p>Platform and virtual threads alike wait parked; the lock is one that pins no carrier.
 */
final class WaitingLine {

    private static final AtomicIntegerFieldUpdater<WaitingLine> LENGTH =
            AtomicIntegerFieldUpdater.newUpdater(WaitingLine.class, "length");

    private static final int CLOSED = -1;

    /** How often one call walks the line at most: a filter that contradicts itself must not keep it walking. */
    private static final int WALKS = 3;

    private final ModelSlots model;
    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile int length;

    // guarded by the lock
    private final WaitersByFilter waiters = new WaitersByFilter();
    private boolean walking;
    private boolean again;

    WaitingLine(ModelSlots model, int capacity) {
        this.model = model;
        this.capacity = capacity;
    }

    boolean isEmpty() {
        return length <= 0;
    }

    /** How many wait. */
    int length() {
        return Math.max(0, length);
    }

    /** Closes the line for ever if nobody waits; whether it is closed. */
    boolean close() {
        return LENGTH.compareAndSet(this, 0, CLOSED) || length == CLOSED;
    }

    /** Tells others how many wait; false if the line is closed. */
    private boolean count() {
        int before = length;
        return before != CLOSED && LENGTH.compareAndSet(this, before, waiters.size());
    }

    /** What became of one who wanted to join. */
    enum Entrance {
        /** It waits. */
        JOINED,
        /** The line is closed for ever. */
        CLOSED,
        /** No worker could ever serve it. */
        UNSERVABLE,
        /** So many wait that no more may. */
        FULL
    }

    /** Enters the line, at its end, if that may be. */
    Entrance join(Waiter waiter) {
        requireOutside();
        Entrance entrance = Entrance.CLOSED;
        lock.lock();
        try {
            waiters.add(waiter);
            if (count()) {
                entrance = isWithoutHope(waiter) // after the count, see above
                        ? Entrance.UNSERVABLE
                        : waiters.size() > capacity ? Entrance.FULL : Entrance.JOINED;
            }
            return entrance;
        } finally {
            if (entrance != Entrance.JOINED) { // whatever it is: a slot for one who does not wait is lost
                waiters.remove(waiter);
                count();
            }
            lock.unlock();
        }
    }

    private boolean isWithoutHope(Waiter waiter) {
        return waiter.failsIfAbsent() && !model.mayServe(waiter.filter());
    }

    /** Waits, parked, until served, sent away, interrupted, or out of time; the waiter's own thread only. */
    void await(Waiter waiter, long deadlineNanos) {
        waiter.await(this, deadlineNanos);
    }

    /** Leaves the line. If the waiter has been served meanwhile, that stays. */
    void leave(Waiter waiter) {
        lock.lock();
        try {
            waiters.remove(waiter);
            count();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Hands out slots in the order of the line.
     *
     * @param source where some may have come free
     */
    void serve(SlotSource source) {
        lock.lock();
        try {
            if (walking) {
                again = true; // a filter has freed a slot: the walk that asked it will go on to a next one
            } else {
                walk(source);
            }
        } finally {
            count();
            lock.unlock();
        }
    }

    /** Takes, as if last in the line, what nobody in it wants. */
    @Nullable
    SlotLease takeBehind(SlotFilter filter, SlotSource source) {
        requireOutside();
        lock.lock();
        try {
            if (waiters.hasOneForAny()) {
                return null;
            }
            again = false;
            walking = true;
            SlotLease lease = source.take(unwantedBy(waiters.filters(), filter));
            if (again) {
                walk(model::take); // there is something for one of them after all
            }
            return lease;
        } finally {
            walking = false;
            count();
            lock.unlock();
        }
    }

    private void requireOutside() {
        if (lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("a filter must not ask for slots of its own model");
        }
    }

    private void walk(SlotSource source) {
        walking = true;
        try {
            again = false;
            walkOnce(source);
            for (int walks = 1; again && walks < WALKS; walks++) {
                again = false;
                walkOnce(model::take);
            }
        } finally {
            walking = false;
        }
    }

    private void walkOnce(SlotSource source) {
        List<SlotFilter> ahead = new ArrayList<>();
        Waiter unserved = null;
        for (Waiter next = waiters.firstOfGroupBehind(null);
                next != null;
                next = waiters.firstOfGroupBehind(unserved)) {
            if (serve(next, ahead, source)) {
                waiters.remove(next); // so that the one behind it with the same filter has its turn
                if (source.isEmpty()) {
                    return;
                }
            } else if (next.filter().isAny()) {
                return; // there is none for him, so none for those behind
            } else {
                ahead.add(next.filter());
                unserved = next;
            }
        }
    }

    private boolean serve(Waiter waiter, List<SlotFilter> ahead, SlotSource source) {
        try {
            SlotLease lease = source.take(unwantedBy(ahead, waiter.filter()));
            if (lease == null) {
                return false;
            }
            waiter.settle(lease, null);
        } catch (Throwable t) { // the waiter's own filter; he is to hear of it, not the thread that walks the line
            waiter.settle(null, () -> unchecked(t));
        }
        return true;
    }

    private static RuntimeException unchecked(Throwable t) {
        if (t instanceof Error error) {
            throw error;
        }
        return t instanceof RuntimeException e ? e : new IllegalStateException("a filter failed", t);
    }

    /** The same, but nothing that one of those ahead would take. */
    private SlotFilter unwantedBy(List<SlotFilter> ahead, SlotFilter filter) {
        return ahead.isEmpty()
                ? filter
                : filter.where(worker -> {
                    boolean wanted = ahead.stream().anyMatch(other -> accepts(other, worker));
                    again |= wanted;
                    return !wanted;
                });
    }

    private static boolean accepts(SlotFilter filter, WorkerInfo worker) {
        try {
            return filter.accepts(worker);
        } catch (Throwable t) {
            return false; // the waiter will hear of it when it is his turn
        }
    }

    /** Tells those for whom no worker is left that they wait in vain. */
    void sendAwayWithoutHope() {
        lock.lock();
        try {
            if (walking) {
                return; // a filter has changed the registry, which it must not
            }
            Waiter hopeful = null;
            for (Waiter next = waiters.firstOfGroupBehind(null);
                    next != null;
                    next = waiters.firstOfGroupBehind(hopeful)) {
                if (isWithoutHope(next)) {
                    sendAwayWithAllBehind(next);
                } else {
                    hopeful = next;
                }
            }
        } finally {
            count();
            lock.unlock();
        }
    }

    /** The whole group, because all of it have the same filter. */
    private void sendAwayWithAllBehind(Waiter first) {
        for (Waiter next = first; next != null; ) {
            Waiter waiter = next;
            next = waiter.behind;
            waiter.settle(null, () -> model.noHope(waiter.filter(), waiter.sinceNanos()));
            waiters.remove(waiter);
        }
    }
}
