package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the loops of a supervisor as one periodic task of the hive's scheduler. A {@link SchedulerFallback} completes
 * stops and shutdowns without it.
 */
final class LoopRunner implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final LoopSchedule loops;
    private final Duration period;
    private final SchedulerFallback fallback;
    private final AtomicBoolean goingOn = new AtomicBoolean();
    private volatile @Nullable ScheduledExecutorService scheduler;
    private volatile @Nullable ScheduledFuture<?> task;
    private volatile boolean closed;

    /**
     * A runner that does not run yet.
     *
     * @param period the time between two ticks; no loop runs more often
     * @param hasOpenStops whether a stop is under way
     */
    LoopRunner(LoopSchedule loops, Duration period, BooleanSupplier hasOpenStops) {
        this.loops = loops;
        this.period = period;
        this.fallback = new SchedulerFallback(loops, period, this::hasSchedulerShutDown, hasOpenStops);
    }

    /** Starts to run; called once. */
    void start(ScheduledExecutorService scheduler) {
        this.scheduler = scheduler;
        loops.start();
        long nanos = period.toNanos();
        task = scheduler.scheduleWithFixedDelay(this::runOnScheduler, nanos, nanos, TimeUnit.NANOSECONDS);
    }

    private void runOnScheduler() {
        boolean unfinished = loops.runDue();
        fallback.schedulerRan();
        if (unfinished) {
            goOn();
        }
    }

    /** Goes on with unfinished loops in a task of its own, behind those of the hive that are due. */
    private void goOn() {
        ScheduledExecutorService present = scheduler;
        if (present != null && !isCancelled() && goingOn.compareAndSet(false, true)) {
            try {
                present.execute(this::runUnfinished);
            } catch (Throwable t) { // it has shut down, no thread; an exception would end the periodic task
                goingOn.set(false);
                log.debug("the scheduler accepts no task now; the next tick goes on", LogText.of(t));
            }
        }
    }

    private void runUnfinished() {
        goingOn.set(false);
        if (!isCancelled()) {
            runOnScheduler();
        }
    }

    /** Whether the scheduler has been left. */
    private boolean isCancelled() {
        ScheduledFuture<?> present = task;
        return closed || (present != null && present.isCancelled());
    }

    /** Whether the hive's scheduler accepts no tasks any more. */
    boolean hasSchedulerShutDown() {
        ScheduledExecutorService present = scheduler;
        return present != null && present.isShutdown();
    }

    boolean isClosed() {
        return closed;
    }

    /** A stop has begun that must also complete without the scheduler. */
    void ensureRunning() {
        fallback.ensureRunning();
    }

    /** From now on, goes on without the hive's scheduler if need be, until closed. */
    void outliveScheduler() {
        fallback.outliveScheduler();
    }

    /** Goes on without the hive's scheduler until closed, but no longer than that. */
    void leaveScheduler(Duration atMost) {
        if (!closed) {
            cancelTask();
            fallback.leaveScheduler(atMost);
        }
    }

    /** Runs what the scheduler should have run by now, on the calling thread. */
    void runIfSchedulerDoesNot() {
        fallback.runIfSchedulerDoesNot();
    }

    /** Runs the loops that end workers, on the calling thread, which may be the scheduler's own. */
    void runUrgent() {
        loops.runUrgent();
    }

    /** Cancels the task and removes it from the scheduler's queue; a tick that is running runs to its end. */
    @Override
    public void close() {
        closed = true;
        fallback.close();
        cancelTask();
    }

    private void cancelTask() {
        if (task != null) {
            task.cancel(false);
            if (scheduler instanceof ThreadPoolExecutor pool && task instanceof Runnable queued) {
                pool.remove(queued); // a cancelled task would stay until its time
            }
        }
    }
}
