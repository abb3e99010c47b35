package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Repeats a task in real time on {@link JdkTimer} for as long as it is needed: what must go on when the hive's
 * scheduler does not. Thread-safe.
 */
final class BackupTimer {

    private static final Logger log = LoggerFactory.getLogger(BackupTimer.class);

    private final Duration period;
    private final BooleanSupplier needed;
    private final Runnable task;
    private final AtomicReference<@Nullable Once> next = new AtomicReference<>();

    /**
     * A timer that does not run yet.
     *
     * @param needed whether the task is to be repeated
     */
    BackupTimer(Duration period, BooleanSupplier needed, Runnable task) {
        this.period = period;
        this.needed = needed;
        this.task = task;
    }

    /**
     * Runs from now on, if it is needed and does not run already. There may be no thread for the timer; then it runs
     * from a later call on.
     */
    void ensureRunning() {
        if (next.get() == null && needed.getAsBoolean()) {
            schedule();
        }
    }

    private void schedule() {
        Once once = new Once(this::run);
        if (!next.compareAndSet(null, once)) {
            return;
        }
        try {
            JdkTimer.schedule(period, once);
        } catch (Throwable t) { // no thread, no memory
            if (once.take()) { // else it has run all the same
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
            LastResort.warn(log, "a task of the timer failed; the next one still runs", t);
        } finally {
            next.set(null);
            ensureRunning();
        }
    }
}
