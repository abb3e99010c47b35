package io.github.workerregistry;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The wait queue of one model, first come, first served.
 *
 * <p><b>No barging.</b> A released slot is acquired on behalf of the first waiter that accepts it, before others can
 * acquire it; so no caller overtakes a waiter, and no waiter is woken without a slot. Waiters are added, served and
 * removed under one lock, which is not taken while the queue is empty. A thread that releases a slot writes the
 * worker's word, then reads whether the queue is empty. A thread that joins publishes the length, then searches for a
 * slot and tests whether it is unservable. At least one of the two sees the other.
 *
 * <p><b>Cost.</b> A release offers only the released slot, so it costs one search per distinct filter in the queue,
 * however many waiters and workers there are. Slots may be released during a walk. Each waiter therefore skips a slot
 * that a waiter ahead would now accept, although its own search found none a moment ago; the queue is then walked
 * again, and all free slots are offered.
 *
 * <p><b>Lock order.</b> Filters are foreign code; they run with the lock held and may read the registry. So this lock
 * is acquired before the registry's lock, and never while that or a bin of the model table is held.
 *
 * <p>Platform and virtual threads wait parked; the lock does not pin a carrier.
 */
final class SlotWaitQueue {

    private static final AtomicIntegerFieldUpdater<SlotWaitQueue> LENGTH =
            AtomicIntegerFieldUpdater.newUpdater(SlotWaitQueue.class, "length");

    private static final int CLOSED = -1;

    /** Maximum walks per call: bounds the cost of a filter whose answers are inconsistent. */
    private static final int WALKS = 3;

    private final ModelSlots model;
    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile int length;

    // guarded by the lock
    private final WaitersByFilter waiters = new WaitersByFilter();
    private boolean walking;
    private boolean repeat;

    SlotWaitQueue(ModelSlots model, int capacity) {
        this.model = model;
        this.capacity = capacity;
    }

    boolean isEmpty() {
        return length <= 0;
    }

    /** Number of waiters. */
    int length() {
        return Math.max(0, length);
    }

    /** Closes the queue permanently if it is empty. Returns whether it is closed. */
    boolean close() {
        return LENGTH.compareAndSet(this, 0, CLOSED) || length == CLOSED;
    }

    /** Publishes the number of waiters; false if the queue is closed. */
    private boolean count() {
        int before = length;
        return before != CLOSED && LENGTH.compareAndSet(this, before, waiters.size());
    }

    /** Result of {@link #join}. */
    enum JoinResult {
        /** The waiter is in the queue. */
        JOINED,
        /** The queue is closed permanently. */
        CLOSED,
        /** No worker can ever serve the request. */
        UNSERVABLE,
        /** The queue is at its capacity. */
        FULL
    }

    /** Adds the waiter at the end of the queue, if possible. */
    JoinResult join(Waiter waiter) {
        requireNotInFilter();
        JoinResult result = JoinResult.CLOSED;
        lock.lock();
        try {
            waiters.add(waiter);
            if (count()) {
                result = isUnservable(waiter) // after the count, see above
                        ? JoinResult.UNSERVABLE
                        : waiters.size() > capacity ? JoinResult.FULL : JoinResult.JOINED;
            }
            return result;
        } finally {
            if (result != JoinResult.JOINED) { // also after a throw: a slot for a thread that does not wait is lost
                waiters.remove(waiter);
                count();
            }
            lock.unlock();
        }
    }

    private boolean isUnservable(Waiter waiter) {
        return waiter.failsIfAbsent() && !model.mayServe(waiter.filter());
    }

    /** Parks until settled, interrupted, or timed out. Called on the waiter's own thread only. */
    void await(Waiter waiter, long deadlineNanos) {
        waiter.await(this, deadlineNanos);
    }

    /** Removes the waiter. If it has been served meanwhile, its slot stays acquired. */
    void remove(Waiter waiter) {
        lock.lock();
        try {
            waiters.remove(waiter);
            count();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Serves waiters in the order of the queue.
     *
     * @param source where slots may be free
     */
    void serve(SlotSource source) {
        lock.lock();
        try {
            if (walking) {
                repeat = true; // called by a filter that released a slot: the walk in progress repeats
            } else {
                walk(source);
            }
        } finally {
            count();
            lock.unlock();
        }
    }

    /** Acquires a slot that no waiter would accept, as if the caller were last in the queue. */
    @Nullable
    SlotLease acquireAfterWaiters(SlotFilter filter, SlotSource source) {
        requireNotInFilter();
        lock.lock();
        try {
            if (waiters.hasUnfiltered()) {
                return null;
            }
            repeat = false;
            walking = true;
            SlotLease lease = source.acquire(excluding(waiters.filters(), filter));
            if (repeat) {
                walk(model::acquire); // a waiter accepts a slot after all
            }
            return lease;
        } finally {
            walking = false;
            count();
            lock.unlock();
        }
    }

    private void requireNotInFilter() {
        if (lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("a filter must not request slots of its own model");
        }
    }

    private void walk(SlotSource source) {
        walking = true;
        try {
            repeat = false;
            walkOnce(source);
            for (int walks = 1; repeat && walks < WALKS; walks++) {
                repeat = false;
                walkOnce(model::acquire);
            }
        } finally {
            walking = false;
        }
    }

    private void walkOnce(SlotSource source) {
        List<SlotFilter> ahead = new ArrayList<>();
        Waiter unserved = null;
        for (Waiter next = waiters.firstOfNextGroup(null); next != null; next = waiters.firstOfNextGroup(unserved)) {
            if (serve(next, ahead, source)) {
                waiters.remove(next); // the next waiter with this filter moves up
                if (source.isEmpty()) {
                    return;
                }
            } else if (next.filter().isAny()) {
                return; // no free slot at all
            } else {
                ahead.add(next.filter());
                unserved = next;
            }
        }
    }

    private boolean serve(Waiter waiter, List<SlotFilter> ahead, SlotSource source) {
        try {
            SlotLease lease = source.acquire(excluding(ahead, waiter.filter()));
            if (lease == null) {
                return false;
            }
            waiter.settle(lease, null);
        } catch (Throwable t) { // thrown by the waiter's filter: reported to the waiter, not to this thread
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

    /** The filter, minus workers that one of the filters ahead accepts. */
    private SlotFilter excluding(List<SlotFilter> ahead, SlotFilter filter) {
        return ahead.isEmpty()
                ? filter
                : filter.where(worker -> {
                    boolean wanted = ahead.stream().anyMatch(other -> accepts(other, worker));
                    repeat |= wanted;
                    return !wanted;
                });
    }

    private static boolean accepts(SlotFilter filter, WorkerInfo worker) {
        try {
            return filter.accepts(worker);
        } catch (Throwable t) {
            return false; // reported to the waiter when it is served
        }
    }

    /** Fails the waiters whose requests have become unservable. */
    void failUnservable() {
        lock.lock();
        try {
            if (walking) {
                return; // called by a filter, which must not change the registry
            }
            Waiter servable = null;
            for (Waiter next = waiters.firstOfNextGroup(null);
                    next != null;
                    next = waiters.firstOfNextGroup(servable)) {
                if (isUnservable(next)) {
                    failGroup(next);
                } else {
                    servable = next;
                }
            }
        } finally {
            count();
            lock.unlock();
        }
    }

    /** Fails the whole group: all its waiters have the same filter. */
    private void failGroup(Waiter first) {
        for (Waiter next = first; next != null; ) {
            Waiter waiter = next;
            next = waiter.next;
            waiter.settle(null, () -> model.unservable(waiter.filter(), waiter.sinceNanos()));
            waiters.remove(waiter);
        }
    }
}
