package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs all loops of a supervisor, each in its period, one after another.
 *
 * <p>The only place that handles failures and pauses: a loop that throws is logged and runs again in its next period;
 * after a pause, {@link Tick#late} is called.
 */
final class LoopSchedule {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final InstantSource clock;
    private final PauseTracker pauses;
    private final List<Loop> loops = new ArrayList<>();
    private final AtomicBoolean running = new AtomicBoolean();
    private volatile long begunNanos;

    /**
     * A schedule without loops.
     *
     * @param pauses records the start of each step and the end of each tick
     */
    LoopSchedule(InstantSource clock, PauseTracker pauses) {
        this.clock = clock;
        this.pauses = pauses;
    }

    /** Adds a loop. All loops are added before the first tick. */
    void add(String name, Duration period, Tick tick) {
        add(name, () -> period, tick);
    }

    /** Adds a loop whose period may change; it is read at every tick. */
    void add(String name, Supplier<Duration> period, Tick tick) {
        loops.add(new Loop(name, period, tick, false, clock.instant()));
    }

    /**
     * Adds a loop that stops workers. It also runs while another loop blocks, so it may run concurrently with itself.
     */
    void addUrgent(String name, Duration period, Tick tick) {
        loops.add(new Loop(name, () -> period, tick, true, clock.instant()));
    }

    /** Starts the wait for the first tick. */
    void start() {
        pauses.tickEnded(clock.instant());
    }

    /**
     * Runs the loops that are due, and goes on with those that are unfinished, unless a tick is running on another
     * thread.
     *
     * @return whether the calling thread is to go on: a loop is unfinished
     */
    boolean runDue() {
        if (!running.compareAndSet(false, true)) {
            return false; // the other thread goes on
        }
        begunNanos = System.nanoTime();
        try {
            return runTick() && isUnfinished(loop -> true);
        } finally {
            running.set(false);
        }
    }

    private boolean isUnfinished(Predicate<Loop> chosen) {
        return loops.stream().filter(chosen).anyMatch(loop -> loop.tick.isUnfinished());
    }

    /**
     * Runs only the urgent loops, if a tick has been running on another thread for longer than {@code limit}.
     *
     * @return whether the calling thread is to go on: one is unfinished
     */
    boolean runUrgentIfBlocked(Duration limit) {
        if (!running.get() || System.nanoTime() - begunNanos <= limit.toNanos()) {
            return false;
        }
        run(loop -> loop.urgent);
        return isUnfinished(loop -> loop.urgent);
    }

    /** Returns false if it failed. */
    private boolean runTick() {
        try {
            Duration pause = Duration.ZERO;
            for (Loop loop : loops) {
                Instant now = clock.instant();
                pause = pause.plus(pauses.stepStarted(now));
                loop.runIfDue(now, pause);
            }
            pauses.tickEnded(clock.instant());
            return true;
        } catch (Throwable t) { // an exception would end the periodic task
            SafeLog.warn(log, "a tick failed; the next one still runs", t);
            return false;
        }
    }

    /** Runs only the urgent loops, each until it has finished. */
    void runUrgent() {
        run(loop -> loop.urgent);
        while (isUnfinished(loop -> loop.urgent)) {
            run(loop -> loop.urgent && loop.tick.isUnfinished());
        }
    }

    private void run(Predicate<Loop> chosen) {
        for (Loop loop : loops) {
            if (chosen.test(loop)) {
                Instant now = clock.instant();
                pauses.stepStarted(now);
                loop.run(now, false);
            }
        }
        pauses.tickEnded(clock.instant());
    }

    private static final class Loop {
        final String name;
        final Supplier<Duration> period;
        final Tick tick;
        final boolean urgent;
        Instant lastRun; // at first, when it was added
        boolean wasLate;

        Loop(String name, Supplier<Duration> period, Tick tick, boolean urgent, Instant added) {
            this.name = name;
            this.period = period;
            this.tick = tick;
            this.urgent = urgent;
            this.lastRun = added;
        }

        /** Never late twice in a row: under constant overload every other tick still evaluates. */
        void runIfDue(Instant now, Duration pause) {
            Duration time = period.get();
            if (now.isBefore(lastRun.plus(time))) {
                if (tick.isUnfinished()) {
                    run(now, false);
                }
                return;
            }
            lastRun = now;
            wasLate = !wasLate && pause.compareTo(time) > 0;
            if (wasLate) {
                log.debug("{} loop is late by {}: this tick evaluates nothing", name, pause);
            }
            run(now, wasLate);
        }

        void run(Instant now, boolean late) {
            try {
                if (late) {
                    tick.late(now);
                } else {
                    tick.tick(now);
                }
            } catch (Throwable t) { // the other loops and the next tick still run
                log.warn("{} loop failed; the next tick still runs", name, LogText.of(t));
            }
        }
    }
}
