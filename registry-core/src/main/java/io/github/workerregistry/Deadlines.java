package io.github.workerregistry;

import io.github.workerregistry.internal.JdkTimer;
import io.github.workerregistry.internal.LogText;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The deadlines of a registry's waiting requests: a {@link DeadlineHeap}, and at most one live task of the timer.
 *
 * <p>A request that ends leaves the heap, but not the timer: the task then finds nothing to do, and starts the next
 * one. So a request that ends before its deadline usually costs no call of the timer. The timer is called with no lock
 * held.
 */
final class Deadlines {

    private static final Logger log = LoggerFactory.getLogger(Deadlines.class);

    private static final long LONGEST_NANOS = TimeUnit.DAYS.toNanos(36_500);

    private final @Nullable ScheduledExecutorService timer;
    private final InstantSource clock;
    private final Consumer<Waiter> expire;
    private final ReentrantLock lock = new ReentrantLock();

    // guarded by the lock
    private final DeadlineHeap heap = new DeadlineHeap();
    private @Nullable Task task;

    private volatile boolean warned;

    /**
     * Creates an empty heap.
     *
     * @param timer runs the deadlines, in the time of {@code clock}; null: the JDK's timer, in real time
     * @param expire called for each waiter whose deadline is over, with no lock held
     */
    Deadlines(@Nullable ScheduledExecutorService timer, InstantSource clock, Consumer<Waiter> expire) {
        this.timer = timer;
        this.clock = clock;
        this.expire = expire;
    }

    /** One task of the timer. Superseded by one with an earlier deadline. */
    private final class Task implements Runnable {
        private final long due;
        private final @Nullable Task superseded;
        private volatile @Nullable Future<?> handle;
        private volatile boolean cancelled;

        Task(long due, @Nullable Task superseded) {
            this.due = due;
            this.superseded = superseded;
        }

        @Override
        public void run() {
            fire(this);
        }

        void started(Future<?> running) {
            handle = running;
            if (cancelled) {
                cancel();
            }
        }

        void cancel() {
            cancelled = true;
            if (handle instanceof CompletableFuture<?> jdk) {
                jdk.complete(null); // the JDK's timer then drops it
            } else if (handle != null) {
                handle.cancel(false);
            }
        }
    }

    /** Whether all deadlines are those of the hive's timer. */
    boolean hasTimer() {
        return timer != null;
    }

    /** The time of the deadlines, in nanoseconds from an arbitrary origin. */
    long now() {
        return timer == null ? System.nanoTime() : nanosOf(clock.instant());
    }

    private static long nanosOf(Instant instant) {
        return TimeUnit.SECONDS.toNanos(instant.getEpochSecond()) + instant.getNano();
    }

    /** Starts the deadline of a waiter, unless its wait has ended. */
    void add(Waiter waiter, long nanos) {
        waiter.deadline = waiter.since() + Math.min(nanos, LONGEST_NANOS);
        waiter.hasDeadline = true; // before the state is read; a thread that ends the wait reads this afterwards
        Task next;
        lock.lock();
        try {
            if (!waiter.isWaiting()) {
                return;
            }
            heap.add(waiter);
            next = nextTask();
        } finally {
            lock.unlock();
        }
        start(next);
    }

    /** Removes a waiter whose wait has ended; it need not be here. */
    void remove(Waiter waiter) {
        if (!waiter.hasDeadline) {
            return;
        }
        lock.lock();
        try {
            heap.remove(waiter);
        } finally {
            lock.unlock();
        }
    }

    int size() {
        lock.lock();
        try {
            return heap.size();
        } finally {
            lock.unlock();
        }
    }

    private void fire(Task fired) {
        Waiter expired = null;
        Waiter last = null;
        Task next;
        long now = Math.max(0, now() - fired.due) + fired.due; // the timer may run a little ahead of the clock
        lock.lock();
        try {
            if (task != fired) {
                return;
            }
            task = null;
            for (Waiter first = heap.first(); first != null && first.deadline - now <= 0; first = heap.first()) {
                heap.remove(first);
                if (last == null) {
                    expired = first;
                } else {
                    last.nextExpired = first;
                }
                last = first;
            }
            next = nextTask();
        } finally {
            lock.unlock();
        }
        try {
            start(next);
        } finally {
            expireAll(expired);
        }
    }

    private void expireAll(@Nullable Waiter first) {
        for (Waiter waiter = first; waiter != null; ) {
            Waiter following = waiter.nextExpired;
            waiter.nextExpired = null;
            expire.accept(waiter);
            waiter = following;
        }
    }

    /** The task to start after the lock has been released; null if the current one is early enough. */
    private @Nullable Task nextTask() {
        Waiter first = heap.first();
        if (first == null || (task != null && task.due - first.deadline <= 0)) {
            return null;
        }
        task = new Task(first.deadline, task);
        return task;
    }

    private void start(@Nullable Task next) {
        if (next == null) {
            return;
        }
        if (next.superseded != null) {
            next.superseded.cancel();
        }
        long delay = Math.max(0, next.due - now());
        if (timer != null) {
            try {
                next.started(timer.schedule(next, delay, TimeUnit.NANOSECONDS));
                return;
            } catch (Throwable refusal) { // foreign code: deadlines are kept all the same
                warnOnce(refusal);
            }
        }
        try {
            CompletableFuture<Void> after = new CompletableFuture<>();
            next.started(after);
            CompletableFuture<Void> unused = after.thenRun(next);
            JdkTimer.complete(after, delay);
        } catch (Throwable t) { // no thread, no memory: the next deadline tries again
            forget(next);
            throw t;
        }
    }

    private void forget(Task failed) {
        lock.lock();
        try {
            if (task == failed) {
                task = null;
            }
        } finally {
            lock.unlock();
        }
    }

    private void warnOnce(Throwable refusal) {
        if (!warned) {
            warned = true;
            log.warn(
                    "the timer refused a task; deadlines of waiting requests run on the JDK's timer",
                    LogText.of(refusal));
        }
    }
}
