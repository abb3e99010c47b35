package io.github.workerregistry.pool;

import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one timer of a pool: at most one task is scheduled. Used by the runner only. */
final class WakeUp {

    private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

    private final ScheduledExecutorService scheduler;
    private final Runnable action;
    private @Nullable Future<?> task;
    private @Nullable Instant due;

    WakeUp(ScheduledExecutorService scheduler, Runnable action) {
        this.scheduler = scheduler;
        this.action = action;
    }

    /** Replaces the time of the next action. */
    void at(Instant now, Duration delay) {
        Instant next = now.plus(delay);
        if (task != null && next.equals(due) && !task.isDone()) {
            return;
        }
        cancel();
        try {
            task = scheduler.schedule(action, Math.max(0, delay.toNanos()), TimeUnit.NANOSECONDS);
            due = next;
        } catch (RuntimeException refused) {
            log.debug("the pool's scheduler refused a timer; the next event tries again", LogText.of(refused));
        }
    }

    void cancel() {
        if (task != null) {
            task.cancel(false);
            task = null;
        }
    }
}
