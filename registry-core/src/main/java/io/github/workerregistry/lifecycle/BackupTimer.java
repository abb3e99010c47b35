package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.JdkTimer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Repeats a task in real time on {@link JdkTimer} while it is needed, for tasks that must run even if the hive's
 * scheduler does not. Thread-safe.
 */
final class BackupTimer {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    /** A task that is later than this was lost by the timer, for example for lack of memory. */
    private static final long LOST_AFTER_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Supplier<Duration> pace;
    private final BooleanSupplier needed;
    private final Runnable task;
    private final BiConsumer<Duration, Runnable> timer;
    private final AtomicReference<@Nullable RunOnce> next = new AtomicReference<>();
    private volatile long dueNanos;

    /**
     * A timer that does not run yet.
     *
     * @param needed whether the task is still needed
     */
    BackupTimer(Duration period, BooleanSupplier needed, Runnable task) {
        this(() -> period, needed, task);
    }

    /**
     * A timer that does not run yet.
     *
     * @param pace the time until the next run, read after each one
     * @param needed whether the task is still needed
     */
    BackupTimer(Supplier<Duration> pace, BooleanSupplier needed, Runnable task) {
        this(pace, needed, task, JdkTimer::schedule);
    }

    /**
     * A timer that does not run yet.
     *
     * @param timer runs a task after a delay
     */
    BackupTimer(Supplier<Duration> pace, BooleanSupplier needed, Runnable task, BiConsumer<Duration, Runnable> timer) {
        this.timer = timer;
        this.pace = pace;
        this.needed = needed;
        this.task = task;
    }

    /** Starts the timer if it is needed and not running. If there is no thread for it now, a later call starts it. */
    void ensureRunning() {
        RunOnce present = next.get();
        if ((present == null || isLost()) && needed.getAsBoolean()) {
            schedule(present);
        }
    }

    private boolean isLost() {
        return System.nanoTime() - dueNanos > LOST_AFTER_NANOS;
    }

    private void schedule(@Nullable RunOnce before) {
        if (before != null && !before.claim()) {
            return; // it has begun
        }
        RunOnce once = new RunOnce(this::run);
        if (!next.compareAndSet(before, once)) {
            return;
        }
        Duration delay = pace.get();
        dueNanos = System.nanoTime() + delay.toNanos();
        try {
            timer.accept(delay, once);
        } catch (Throwable t) { // no thread, no memory
            if (once.claim()) { // else it has run nevertheless
                next.set(null);
                log.debug("the timer cannot be started now", t);
            }
        }
    }

    private void run() {
        try {
            if (needed.getAsBoolean()) {
                task.run();
            }
        } catch (Throwable t) { // an exception would end the repetition
            SafeLog.warn(log, "a task of the timer failed; the next one still runs", t);
        } finally {
            next.set(null);
            ensureRunning();
        }
    }
}
