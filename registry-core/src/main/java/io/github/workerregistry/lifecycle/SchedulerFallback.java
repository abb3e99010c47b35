package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * Runs the loops where the hive's scheduler does not: it has been shut down, its thread is blocked, or it was left.
 * Only for stops and shutdowns, which must come to their end; in real time, on the JDK's timer thread, or on a thread
 * that waits for that end.
 */
final class SchedulerFallback {

    /** A thread that is blocked for so long may wait for this supervisor and never continue. */
    private static final Duration BLOCKED_AFTER = Duration.ofSeconds(1);

    private final LoopSchedule loops;
    private final Duration tooLong;
    private final BooleanSupplier isSchedulerShutDown;
    private final BooleanSupplier hasOpenStops;
    private final BackupTimer timer;
    private volatile boolean closed;
    private volatile boolean outliving;
    private volatile boolean left;
    private volatile long endNanos;
    private volatile long schedulerRanNanos = System.nanoTime();

    /**
     * A fallback that does not run yet.
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
        this.timer = new BackupTimer(period, this::isNeeded, this::runIfSchedulerDoesNot);
    }

    /** The scheduler has just run the loops. */
    void schedulerRan() {
        schedulerRanNanos = System.nanoTime();
        ensureRunning(); // there may have been no thread for it
    }

    /** Runs from now on, if it is needed. */
    void ensureRunning() {
        timer.ensureRunning();
    }

    /** From now on it is needed until closed: the hive may shut its scheduler down. */
    void outliveScheduler() {
        outliving = true;
        ensureRunning();
    }

    /** The scheduler does not run the loops any more: from now on this does, until closed, but no longer than that. */
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

    /** Runs what the scheduler should have run by now, on the calling thread. */
    void runIfSchedulerDoesNot() {
        if (hasLostScheduler()) {
            loops.runDue();
        }
        loops.runUrgentIfBlocked(tooLong);
    }

    /** A {@code shutdownNow()} leaves a periodic task neither done nor cancelled. */
    private boolean hasLostScheduler() {
        return left || isSchedulerShutDown.getAsBoolean() || System.nanoTime() - schedulerRanNanos > tooLong.toNanos();
    }
}
