package io.github.workerregistry;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A caller that waits for a slot. Settled once, under the lock of its queue. */
final class Waiter {

    private final SlotFilter filter;
    private final boolean failIfAbsent;
    private final Thread thread = Thread.currentThread();
    private final long sinceNanos = System.nanoTime();

    // position in the queue; owned by WaitersByFilter
    long ticket;
    WaitersByFilter.@Nullable Group group;

    @Nullable
    Waiter previous;

    @Nullable
    Waiter next;

    private @Nullable SlotLease lease;
    private @Nullable Supplier<RuntimeException> failure;
    private volatile boolean settled;

    Waiter(SlotFilter filter, boolean failIfAbsent) {
        this.filter = filter;
        this.failIfAbsent = failIfAbsent;
    }

    SlotFilter filter() {
        return filter;
    }

    /** When it began to wait, by {@link System#nanoTime()}. */
    long sinceNanos() {
        return sinceNanos;
    }

    /** Whether it fails as soon as its request is unservable. */
    boolean failsIfAbsent() {
        return failIfAbsent;
    }

    void settle(@Nullable SlotLease granted, @Nullable Supplier<RuntimeException> cause) {
        lease = granted;
        failure = cause;
        settled = true;
        LockSupport.unpark(thread);
    }

    /** Parks until settled, interrupted, or timed out. Called on the waiter's own thread only. */
    void await(Object blocker, long deadlineNanos) {
        while (!settled && !thread.isInterrupted()) {
            long left = deadlineNanos - System.nanoTime();
            if (left <= 0) {
                return;
            }
            LockSupport.parkNanos(blocker, left);
        }
    }

    /**
     * The slot; null if there is none. Throws if the wait has failed. Called by the waiter's thread after its removal.
     */
    @Nullable
    SlotLease result() {
        if (failure != null) {
            throw failure.get();
        }
        return lease;
    }
}
