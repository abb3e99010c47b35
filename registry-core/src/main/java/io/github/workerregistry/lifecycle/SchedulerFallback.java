package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * Runs the loops if the hive's scheduler does not: it was shut down, its thread is blocked, or the supervisor has left
 * it. Only for stops and shutdowns, which must complete; in real time, on the JDK's timer thread or on a thread that
 * waits for their completion.
 */
final class SchedulerFallback {

    /** A scheduler thread that is blocked for longer may wait for this supervisor, for ever. */
    private static final Duration BLOCKED_AFTER = Duration.ofSeconds(1);

    private final LoopSchedule loops;
    private final Duration tooLong;
    private final BooleanSupplier isSchedulerShutDown;
    private final BooleanSupplier hasOpenStops;
    private final BackupTimer timer;
    private volatile boolean closed;
    private volatile boolean outliving;
    private volatile boolean left;
    private volatile boolean unfinished;
    private volatile long endNanos;
    private volatile long schedulerRanNanos = System.nanoTime();

    /**
     * A fallback that is not running yet.
     *
     * @param period the time between two ticks
     * @param isSchedulerShutDown whether the hive's scheduler accepts no tasks any more
     * @param hasOpenStops whether a stop is under way
     */
    SchedulerFallback(
            LoopSchedule loops, Duration period, BooleanSupplier isSchedulerShutDown, BooleanSupplier hasOpenStops) {
        this.loops = loops;
        this.tooLong = BLOCKED_AFTER.plus(period.multipliedBy(2));
        this.isSchedulerShutDown = isSchedulerShutDown;
        this.hasOpenStops = hasOpenStops;
        this.timer = new BackupTimer(() -> unfinished ? Duration.ZERO : period, this::isNeeded, this::runOnTimer);
    }

    /** Records that the scheduler has run the loops. */
    void schedulerRan() {
        schedulerRanNanos = System.nanoTime();
        ensureRunning(); // an earlier start may have failed for lack of a thread
    }

    /** Starts the fallback if it is needed. */
    void ensureRunning() {
        timer.ensureRunning();
    }

    /** Runs from now on until closed: the hive may shut its scheduler down. */
    void outliveScheduler() {
        outliving = true;
        ensureRunning();
    }

    /** Runs the loops in place of the scheduler from now on, until closed, for {@code atMost} at the longest. */
    void leaveScheduler(Duration atMost) {
        endNanos = System.nanoTime() + atMost.toNanos();
        left = true;
        outliveScheduler();
    }

    void close() {
        closed = true;
    }

    private boolean isNeeded() {
        boolean over = closed || (left && System.nanoTime() - endNanos > 0);
        return !over && (outliving || hasOpenStops.getAsBoolean());
    }

    /** Other code uses the JDK's timer thread, too: unfinished loops go on behind its tasks that are due. */
    private void runOnTimer() {
        unfinished = false; // also if this fails
        unfinished = runSlice();
    }

    /** Runs the loops that the scheduler should have run by now, on the calling thread, until all have finished. */
    void runIfSchedulerDoesNot() {
        while (runSlice()) {
            // goes on
        }
    }

    /** Returns whether the calling thread is to go on. */
    private boolean runSlice() {
        boolean goesOn = hasLostScheduler() && loops.runDue();
        return loops.runUrgentIfBlocked(tooLong) || goesOn;
    }

    /** A {@code shutdownNow()} leaves a periodic task neither done nor cancelled. */
    private boolean hasLostScheduler() {
        return left || isSchedulerShutDown.getAsBoolean() || System.nanoTime() - schedulerRanNanos > tooLong.toNanos();
    }
}
