package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs the loops of a supervisor in one periodic task of the hive's scheduler.
 *
 * <p>What has to come to its end (a stop, a shutdown) goes on without the scheduler if that has been shut down, or its
 * thread is held up: on the timer thread that the JDK has, in real time.
 */
final class LoopRunner implements AutoCloseable {

    /** A thread that is held up for so long may never be free again: it may wait for us. */
    private static final Duration STUCK_AFTER = Duration.ofSeconds(1);

    private final Loops loops;
    private final Duration resolution;
    private final Duration tooLong;
    private final BooleanSupplier hasToGoOn;
    private final BackupTimer backup;
    private volatile @Nullable ScheduledExecutorService scheduler;
    private volatile @Nullable ScheduledFuture<?> task;
    private volatile boolean closed;
    private volatile boolean outliving;
    private volatile boolean left;
    private volatile long endNanos;
    private volatile long schedulerRanNanos = System.nanoTime();

    /**
     * A runner that does not run yet.
     *
     * @param resolution the time between two rounds; no loop runs more often
     * @param hasToGoOn whether something is under way that has to come to its end without the scheduler, too
     */
    LoopRunner(Loops loops, Duration resolution, BooleanSupplier hasToGoOn) {
        this.loops = loops;
        this.resolution = resolution;
        this.tooLong = STUCK_AFTER.plus(resolution.multipliedBy(2));
        this.hasToGoOn = hasToGoOn;
        this.backup = new BackupTimer(resolution, this::isBackupNeeded, this::help);
    }

    /** Starts to run; called once. */
    void start(ScheduledExecutorService scheduler) {
        this.scheduler = scheduler;
        loops.start();
        long nanos = resolution.toNanos();
        task = scheduler.scheduleWithFixedDelay(this::runOnScheduler, nanos, nanos, TimeUnit.NANOSECONDS);
    }

    private void runOnScheduler() {
        loops.runDue();
        schedulerRanNanos = System.nanoTime();
        backup.ensureRunning(); // there may have been no thread for it
    }

    /** Whether the hive's scheduler takes no more tasks. */
    boolean hasSchedulerShutDown() {
        ScheduledExecutorService present = scheduler;
        return present != null && present.isShutdown();
    }

    boolean isClosed() {
        return closed;
    }

    /** Cancels the task and takes it out of the scheduler's queue; a round that is running runs to its end. */
    @Override
    public void close() {
        closed = true;
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

    // ---- without the hive's scheduler ----

    /** Something has begun that has to come to its end. */
    void ensureGoingOn() {
        backup.ensureRunning();
    }

    /** From now on, goes on without the hive's scheduler if need be, until closed. */
    void outliveScheduler() {
        outliving = true;
        backup.ensureRunning();
    }

    /** Goes on without the hive's scheduler until closed, but no longer than that. */
    void leaveScheduler(Duration atMost) {
        if (!closed) {
            endNanos = System.nanoTime() + atMost.toNanos();
            left = true;
            cancelTask();
            outliveScheduler();
        }
    }

    private boolean isBackupNeeded() {
        boolean over = closed || (left && System.nanoTime() - endNanos > 0);
        return !over && (outliving || hasToGoOn.getAsBoolean());
    }

    /** Runs what the scheduler should have run by now, on the calling thread. */
    void help() {
        if (hasLostScheduler()) {
            loops.runDue();
        }
        loops.runUrgentIfHeldUp(tooLong);
    }

    /** A {@code shutdownNow()} leaves our task neither done nor cancelled; a stuck thread just does not run it. */
    private boolean hasLostScheduler() {
        return left || hasSchedulerShutDown() || System.nanoTime() - schedulerRanNanos > tooLong.toNanos();
    }
}
