package io.github.workerregistry;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Those who wait for a slot of one model, first come, first served.
 *
 * <p>A slot is handed over: whoever frees it takes it for the first in the line that it fits, and only then may others
 * have it. So nobody can overtake, and nobody wakes up in vain. A place in the line is entered, served and left under
 * one small lock, which nobody touches while the line is empty: who frees a slot writes the worker's word and then
 * looks whether the line is empty; who joins the line does so and then looks for a slot. One of the two sees the other.
 *
 * <p>Platform and virtual threads alike wait parked; the lock is one that pins no carrier.
 */
final class WaitingLine {

    private final ModelSlots model;
    private final int capacity;
    private final ReentrantLock lock = new ReentrantLock();
    private final Set<Waiter> waiters = new LinkedHashSet<>();
    private volatile int length;

    WaitingLine(ModelSlots model, int capacity) {
        this.model = model;
        this.capacity = capacity;
    }

    /** Somebody who waits. Settled once, under the line's lock. */
    static final class Waiter {
        private final SlotFilter filter;
        private final boolean failIfAbsent;
        private final Thread thread = Thread.currentThread();
        private @Nullable SlotLease lease;
        private @Nullable Supplier<RuntimeException> failure;
        private volatile boolean settled;

        Waiter(SlotFilter filter, boolean failIfAbsent) {
            this.filter = filter;
            this.failIfAbsent = failIfAbsent;
        }

        private void settle(@Nullable SlotLease granted, @Nullable Supplier<RuntimeException> cause) {
            lease = granted;
            failure = cause;
            settled = true;
            LockSupport.unpark(thread);
        }

        /** The slot, if there is one; throws if the wait was in vain. For the one who waited, when he has left. */
        @Nullable
        SlotLease result() {
            if (failure != null) {
                throw failure.get();
            }
            return lease;
        }
    }

    boolean isEmpty() {
        return length == 0;
    }

    /**
     * Enters the line, at its end.
     *
     * @throws NoSuchModelException if there is no hope
     * @throws SlotQueueFullException if it is full
     */
    void join(Waiter waiter) {
        lock.lock();
        try {
            if (waiter.failIfAbsent && !model.mayServe(waiter.filter)) {
                throw new NoSuchModelException(model.modelRef(), null);
            }
            if (waiters.size() >= capacity) {
                throw new SlotQueueFullException(model.modelRef(), capacity);
            }
            waiters.add(waiter);
            length = waiters.size();
        } finally {
            lock.unlock();
        }
    }

    /** Waits, parked, until served, sent away, interrupted, or out of time; the waiter's own thread only. */
    void await(Waiter waiter, long deadlineNanos) {
        while (!waiter.settled && !waiter.thread.isInterrupted()) {
            long left = deadlineNanos - System.nanoTime();
            if (left <= 0) {
                return;
            }
            LockSupport.parkNanos(this, left);
        }
    }

    /** Leaves the line. If the waiter has been served meanwhile, that stays. */
    void leave(Waiter waiter) {
        lock.lock();
        try {
            waiters.remove(waiter);
            length = waiters.size();
        } finally {
            lock.unlock();
        }
    }

    /** Hands out what is free, in the order of the line. */
    void serve() {
        lock.lock();
        try {
            for (Iterator<Waiter> next = waiters.iterator(); next.hasNext(); ) {
                Waiter waiter = next.next();
                if (serve(waiter)) {
                    next.remove();
                } else if (waiter.filter.isAny()) {
                    return; // there is none
                }
            }
        } finally {
            length = waiters.size();
            lock.unlock();
        }
    }

    private boolean serve(Waiter waiter) {
        try {
            SlotLease lease = model.take(waiter.filter);
            if (lease == null) {
                return false;
            }
            waiter.settle(lease, null);
        } catch (RuntimeException e) { // the waiter's own filter
            waiter.settle(null, () -> e);
        }
        return true;
    }

    /** Takes what those in the line do not want. */
    @Nullable
    SlotLease takeBehind(Supplier<@Nullable SlotLease> take) {
        lock.lock();
        try {
            serve();
            return take.get();
        } finally {
            lock.unlock();
        }
    }

    /** Tells those for whom no worker is left that they wait in vain. */
    void sendAwayWithoutHope(@Nullable Exit lastExit) {
        lock.lock();
        try {
            for (Iterator<Waiter> next = waiters.iterator(); next.hasNext(); ) {
                Waiter waiter = next.next();
                if (waiter.failIfAbsent && !model.mayServe(waiter.filter)) {
                    waiter.settle(null, () -> new NoSuchModelException(model.modelRef(), lastExit));
                    next.remove();
                }
            }
        } finally {
            length = waiters.size();
            lock.unlock();
        }
    }
}
