package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs all loops of a supervisor, each in its period, one after another in one periodic task of the host's scheduler.
 *
 * <p>The one place for scheduling, survival and lateness: a loop that throws is logged and runs again in its next
 * period; one that runs late is told so.
 */
final class LoopRunner implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LoopRunner.class);

    private final InstantSource clock;
    private final List<Loop> loops = new ArrayList<>();
    private final Duration resolution;
    private final Presence presence;
    private volatile @Nullable ScheduledExecutorService scheduler;
    private volatile @Nullable ScheduledFuture<?> task;
    private volatile boolean closed;
    private final AtomicBoolean outliving = new AtomicBoolean();
    private final AtomicBoolean running = new AtomicBoolean();

    /**
     * A runner without loops.
     *
     * @param resolution the time between two rounds; no loop runs more often
     * @param presence is told when rounds begin and end
     */
    LoopRunner(InstantSource clock, Duration resolution, Presence presence) {
        this.clock = clock;
        this.resolution = resolution;
        this.presence = presence;
    }

    /** Adds a loop. All loops are added before {@link #start}. */
    void add(String name, Duration period, Tick tick) {
        loops.add(new Loop(name, period, tick, clock.instant().plus(period)));
    }

    /** Starts to run; called once. */
    void start(ScheduledExecutorService scheduler) {
        this.scheduler = scheduler;
        presence.leave(clock.instant());
        long nanos = resolution.toNanos();
        task = scheduler.scheduleWithFixedDelay(this::runDue, nanos, nanos, TimeUnit.NANOSECONDS);
    }

    /** Cancels the task and takes it out of the scheduler's queue; a round that is running runs to its end. */
    @Override
    public void close() {
        closed = true;
        if (task != null) {
            task.cancel(false);
            if (scheduler instanceof ThreadPoolExecutor pool && task instanceof Runnable queued) {
                pool.remove(queued); // a cancelled task would stay until its time
            }
        }
    }

    /**
     * From now on, goes on without the host's scheduler if that has been, or will be, shut down before we are closed:
     * on the timer thread that the JDK has for {@link CompletableFuture}, in real time.
     */
    void outliveScheduler() {
        if (outliving.compareAndSet(false, true)) {
            goOn();
        }
    }

    private void goOn() {
        CompletableFuture.delayedExecutor(resolution.toNanos(), TimeUnit.NANOSECONDS, Runnable::run)
                .execute(() -> {
                    if (!closed) {
                        if (hasLostScheduler()) {
                            runDue();
                        }
                        goOn();
                    }
                });
    }

    private boolean hasLostScheduler() {
        return scheduler != null && scheduler.isShutdown(); // shutdownNow() leaves the task neither done nor cancelled
    }

    private void runDue() {
        if (!running.compareAndSet(false, true)) {
            return; // the scheduler was shut down in the middle of a round
        }
        Duration lateness = presence.arrive(clock.instant());
        for (Loop loop : loops) {
            try {
                loop.runIfDue(clock.instant(), lateness);
            } catch (Throwable t) { // whatever it is, the other loops and the next round still run
                log.warn("{} loop failed; the next round still runs", loop.name, t);
            }
        }
        presence.leave(clock.instant());
        running.set(false);
    }

    private static final class Loop {
        final String name;
        final Duration period;
        final Tick tick;
        Instant due;
        boolean wasLate;

        Loop(String name, Duration period, Tick tick, Instant due) {
            this.name = name;
            this.period = period;
            this.tick = tick;
            this.due = due;
        }

        /** Never late twice in a row: under constant overload every other round still gives verdicts. */
        void runIfDue(Instant now, Duration lateness) {
            if (now.isBefore(due)) {
                return;
            }
            due = now.plus(period);
            wasLate = !wasLate && lateness.compareTo(period) > 0;
            if (wasLate) {
                log.debug("{} loop is late by {}: no verdicts in this round", name, lateness);
                tick.late(now);
            } else {
                tick.tick(now);
            }
        }
    }
}
