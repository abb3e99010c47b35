package io.github.workerregistry;

import io.github.workerregistry.SlotRequest.Constraints;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The wait queue of one model: higher priority first, then first come, first served, for blocking and asynchronous
 * callers alike.
 *
 * <p><b>No barging.</b> A released slot is acquired on behalf of the first waiter that accepts it, before others can
 * acquire it; so no caller overtakes a waiter, and no waiter is woken without a slot. Waiters are added, served and
 * removed under one lock, which is not taken while the queue is empty. A thread that releases a slot writes the
 * worker's word, then reads whether the queue is empty. A thread that joins publishes the length, then searches for a
 * slot and tests whether it is unservable. At least one of the two sees the other.
 *
 * <p><b>One end.</b> A waiter's own word decides between grant, cancellation, timeout and failure ({@link Waiter}). A
 * grant that loses leaves the slot to the next waiter, within the same walk.
 *
 * <p><b>Cost.</b> A release offers only the released slot, so it costs one search per distinct request in the queue,
 * however many waiters and workers there are. Slots may be released during a walk. Each waiter therefore skips a slot
 * that a waiter ahead would now accept, although its own search found none a moment ago; the queue is then walked
 * again, and all free slots are offered.
 *
 * <p><b>Lock order.</b> This lock is never acquired while the registry's lock or a bin of the model table is held. No
 * foreign code runs under it: blocking waiters are unparked, asynchronous ones are completed after it has been released
 * ({@link CompletionLoop}).
 *
 * <p>Platform and virtual threads wait parked; the lock does not pin a carrier.
 */
final class SlotWaitQueue {

    private static final AtomicIntegerFieldUpdater<SlotWaitQueue> LENGTH =
            AtomicIntegerFieldUpdater.newUpdater(SlotWaitQueue.class, "length");

    private static final int CLOSED = -1;

    private final ModelSlots model;
    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile int length;

    // guarded by the lock
    private final WaitersByRequest waiters = new WaitersByRequest();
    private boolean walking;
    private boolean repeat;
    private @Nullable AsyncWaiter firstEnded; // to be completed after the lock has been released
    private @Nullable AsyncWaiter lastEnded;
    private boolean idle; // a worker became idle: its actions run after the lock has been released

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

    /** Publishes the number of waiters, releases the lock, and completes those whose wait has ended. */
    private void unlock() {
        count();
        AsyncWaiter ended = null;
        boolean becameIdle = false;
        if (lock.getHoldCount() == 1) {
            ended = firstEnded;
            firstEnded = null;
            lastEnded = null;
            becameIdle = idle;
            idle = false;
        }
        lock.unlock();
        try {
            if (becameIdle) {
                model.checkIdle();
            }
        } finally { // even without memory for the check
            CompletionLoop.complete(ended);
        }
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

    /** Adds the waiter after those of its priority, if possible. */
    JoinResult join(Waiter waiter) {
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
            if (result != JoinResult.JOINED) { // also after a throw: a slot for a request that does not wait is lost
                waiters.remove(waiter);
            }
            unlock();
        }
    }

    private boolean isUnservable(Waiter waiter) {
        return waiter.failsIfAbsent() && !model.mayServe(waiter.request());
    }

    /** Removes a waiter whose wait has ended. */
    void remove(Waiter waiter) {
        lock.lock();
        try {
            waiters.remove(waiter);
        } finally {
            unlock();
        }
    }

    /** The requests that wait; null if there is none. */
    @Nullable
    ModelDemand demand(long now) {
        lock.lock();
        try {
            return waiters.size() == 0
                    ? null
                    : new ModelDemand(
                            model.modelRef(),
                            waiters.size(),
                            Duration.ofNanos(now - waiters.oldestSince(now)),
                            waiters.countByRequest(),
                            waiters.longestWaitByRequest(now));
        } finally {
            lock.unlock();
        }
    }

    /** A copy of the waiters; those with the same constraints are in order. */
    List<Waiter> waiters() {
        lock.lock();
        try {
            return waiters.all();
        } finally {
            lock.unlock();
        }
    }

    /**
     * A watched worker has no slot in use any more.
     *
     * @return whether this thread holds the lock; {@link ModelSlots#checkIdle} follows when it releases it
     */
    boolean deferIdle() {
        if (!lock.isHeldByCurrentThread()) {
            return false;
        }
        idle = true;
        return true;
    }

    /** Number of waiters ahead; empty if the waiter does not wait any more. */
    OptionalInt positionOf(Waiter waiter) {
        lock.lock();
        try {
            int position = waiter.isWaiting() ? waiters.positionOf(waiter) : -1;
            return position < 0 ? OptionalInt.empty() : OptionalInt.of(position);
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
                repeat = true; // a grant has lost and released its slot: the walk in progress repeats
            } else {
                walk(source);
            }
        } finally {
            unlock();
        }
    }

    /** Acquires a slot that no waiter would accept, as if the request were last in the queue. */
    @Nullable
    SlotLease acquireAfterWaiters(SlotRequest request, SlotSource source) {
        lock.lock();
        try {
            if (waiters.hasUnconstrained()) {
                return null;
            }
            repeat = false;
            SlotLease lease = source.acquire(request, after(waiters.constraints(), request));
            if (repeat) {
                walk(model::acquire); // a waiter accepts a slot after all
            }
            return lease;
        } finally {
            unlock();
        }
    }

    private void walk(SlotSource source) {
        walking = true;
        try {
            SlotSource next = source;
            do {
                repeat = false;
                walkOnce(next);
                next = model::acquire;
            } while (repeat);
        } finally {
            walking = false;
        }
    }

    private void walkOnce(SlotSource source) {
        List<Constraints> ahead = new ArrayList<>();
        Waiter unserved = null;
        for (Waiter next = waiters.firstOfNextGroup(null); next != null; next = waiters.firstOfNextGroup(unserved)) {
            if (serve(next, ahead, source)) {
                waiters.remove(next); // the next waiter of its group moves up
                if (source.isEmpty()) {
                    return;
                }
            } else if (next.request().isUnconstrained()) {
                return; // no free slot at all
            } else {
                ahead.add(next.request().constraints());
                unserved = next;
            }
        }
    }

    /** Grants the waiter a slot; false if there is none, and it still waits. */
    private boolean serve(Waiter waiter, List<Constraints> ahead, SlotSource source) {
        if (!waiter.isWaiting()) {
            return true;
        }
        SlotLease slot;
        try {
            slot = source.acquire(waiter.request(), after(ahead, waiter.request()));
        } catch (Throwable t) { // out of memory: reported to the waiter, not to this thread
            fail(waiter, () -> new IllegalStateException("no slot could be acquired", t));
            return true;
        }
        if (slot == null) {
            return false;
        }
        if (waiter.grant(slot)) {
            model.served(waiter.request(), slot); // before the next waiter, which may have the same affinity key
            ended(waiter);
        } else {
            slot.close(); // offers it again: the walk repeats
        }
        return true;
    }

    private void fail(Waiter waiter, Supplier<? extends RuntimeException> exception) {
        if (waiter.fail(exception)) {
            ended(waiter);
        }
    }

    /** The waiter's wait has ended, by this thread. */
    private void ended(Waiter waiter) {
        AsyncWaiter async = waiter.ended();
        if (async == null) {
            return;
        }
        if (lastEnded == null) {
            firstEnded = async;
        } else {
            lastEnded.nextEnded = async;
        }
        lastEnded = async;
    }

    /** Workers that the request accepts, minus those that a waiter ahead accepts; null for all. */
    private @Nullable Predicate<WorkerEntry> after(List<Constraints> ahead, SlotRequest request) {
        Predicate<WorkerEntry> own = ModelSlots.acceptedBy(request);
        if (ahead.isEmpty()) {
            return own;
        }
        return entry -> {
            if (own != null && !own.test(entry)) {
                return false;
            }
            boolean wanted = ahead.stream().anyMatch(other -> other.accept(entry.stored()));
            repeat |= wanted && entry.level() != FreeSlots.NONE; // a request with a key tests full workers too
            return !wanted;
        };
    }

    /** Fails the waiters whose requests have become unservable. */
    void failUnservable() {
        lock.lock();
        try {
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
            unlock();
        }
    }

    /** Fails the whole group: all its waiters ask for the same. */
    private void failGroup(Waiter first) {
        for (Waiter next = first; next != null; ) {
            Waiter waiter = next;
            next = waiter.next;
            fail(waiter, () -> model.unservable(waiter));
            waiters.remove(waiter);
        }
    }
}
