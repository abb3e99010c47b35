package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs all loops of a supervisor, each in its period, one after another in one periodic task of the host's scheduler.
 *
 * <p>The one place for scheduling and survival: a loop that throws is logged and runs again in its next period.
 */
final class LoopRunner implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LoopRunner.class);

    private final InstantSource clock;
    private final List<Loop> loops = new ArrayList<>();
    private @Nullable ScheduledFuture<?> task;

    LoopRunner(InstantSource clock) {
        this.clock = clock;
    }

    /** Adds a loop. All loops are added before {@link #start}. */
    void add(String name, Duration period, Tick tick) {
        loops.add(new Loop(name, period, tick, clock.instant().plus(period)));
    }

    /** Starts to run; {@code resolution} bounds how late a loop may be. */
    synchronized void start(ScheduledExecutorService scheduler, Duration resolution) {
        long nanos = resolution.toNanos();
        task = scheduler.scheduleWithFixedDelay(this::runDue, nanos, nanos, TimeUnit.NANOSECONDS);
    }

    /** Cancels the task; a round that is running runs to its end. */
    @Override
    public synchronized void close() {
        if (task != null) {
            task.cancel(false);
        }
    }

    private void runDue() {
        for (Loop loop : loops) {
            try {
                loop.runIfDue(clock.instant());
            } catch (Throwable t) { // whatever it is, the other loops and the next round still run
                log.warn("{} loop failed; the next round still runs", loop.name, t);
            }
        }
    }

    private static final class Loop {
        final String name;
        final Duration period;
        final Tick tick;
        Instant due;

        Loop(String name, Duration period, Tick tick, Instant due) {
            this.name = name;
            this.period = period;
            this.tick = tick;
            this.due = due;
        }

        void runIfDue(Instant now) {
            if (!now.isBefore(due)) {
                due = now.plus(period);
                tick.tick(now);
            }
        }
    }
}
