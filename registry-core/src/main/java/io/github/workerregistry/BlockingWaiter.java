package io.github.workerregistry;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A thread that waits for a slot, parked. Platform or virtual. */
final class BlockingWaiter extends Waiter {

    private final Thread thread = Thread.currentThread();

    BlockingWaiter(SlotRequest request, boolean failIfAbsent) {
        super(request, failIfAbsent);
    }

    @Override
    @Nullable
    AsyncWaiter ended() {
        LockSupport.unpark(thread);
        return null;
    }

    /**
     * Parks until the wait has ended or the thread is interrupted, which cancels it. Called on the waiter's own thread
     * only.
     */
    void await(Object blocker) {
        while (isWaiting() && !cancelledByInterrupt()) {
            LockSupport.park(blocker);
        }
    }

    /** The same, but the wait times out at a time of {@link System#nanoTime()}. */
    void await(Object blocker, long deadlineNanos) {
        while (isWaiting() && !cancelledByInterrupt()) {
            long left = deadlineNanos - System.nanoTime();
            if (left <= 0) {
                end(State.TIMED_OUT);
            } else {
                LockSupport.parkNanos(blocker, left);
            }
        }
    }

    private boolean cancelledByInterrupt() {
        return thread.isInterrupted() && end(State.CANCELLED);
    }
}
