package io.github.workerregistry.lifecycle;

import io.github.workerregistry.LogText;
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

    /** A scheduler whose one thread is busy for so long may never be free again: it may wait for us. */
    private static final Duration STUCK_AFTER = Duration.ofSeconds(1);

    private final InstantSource clock;
    private final List<Loop> loops = new ArrayList<>();
    private final Duration resolution;
    private final Presence presence;
    private volatile @Nullable ScheduledExecutorService scheduler;
    private volatile @Nullable ScheduledFuture<?> task;
    private volatile boolean closed;
    private volatile boolean left;
    private volatile long endNanos;
    private volatile long schedulerRanNanos = System.nanoTime();
    private final AtomicBoolean outliving = new AtomicBoolean();
    private final AtomicBoolean running = new AtomicBoolean();

    /**
     * A runner without loops.
     *
     * @param resolution the time between two rounds; no loop runs more often
     * @param presence is told when rounds begin, and how they get on
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
        presence.resting(clock.instant());
        long nanos = resolution.toNanos();
        task = scheduler.scheduleWithFixedDelay(this::runOnScheduler, nanos, nanos, TimeUnit.NANOSECONDS);
    }

    private void runOnScheduler() {
        runDue();
        schedulerRanNanos = System.nanoTime();
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

    /**
     * From now on, goes on without the host's scheduler if that has been, or will be, shut down before we are closed,
     * or is stuck: on the timer thread that the JDK has for {@link CompletableFuture}, in real time.
     */
    void outliveScheduler() {
        if (outliving.compareAndSet(false, true)) {
            goOn();
        }
    }

    /** Goes on without the host's scheduler until closed, but no longer than that. */
    void leaveScheduler(Duration atMost) {
        if (!closed) {
            endNanos = System.nanoTime() + atMost.toNanos();
            left = true;
            cancelTask();
            outliveScheduler();
        }
    }

    private void goOn() {
        CompletableFuture.delayedExecutor(resolution.toNanos(), TimeUnit.NANOSECONDS, Runnable::run)
                .execute(() -> {
                    if (!closed && !(left && System.nanoTime() - endNanos > 0)) {
                        if (hasLostScheduler()) {
                            runDue();
                        }
                        goOn();
                    }
                });
    }

    /** A {@code shutdownNow()} leaves our task neither done nor cancelled; a stuck thread just does not run it. */
    private boolean hasLostScheduler() {
        return left || (scheduler != null && scheduler.isShutdown()) || isStuck();
    }

    private boolean isStuck() {
        Duration tooLong = STUCK_AFTER.plus(resolution.multipliedBy(2));
        return System.nanoTime() - schedulerRanNanos > tooLong.toNanos();
    }

    private void runDue() {
        if (!running.compareAndSet(false, true)) {
            return; // the other thread is in the middle of a round
        }
        try {
            Duration away = Duration.ZERO;
            for (Loop loop : loops) {
                Instant now = clock.instant();
                away = away.plus(presence.working(now));
                loop.runIfDue(now, away);
            }
            presence.resting(clock.instant());
        } catch (Throwable t) { // an exception would end the periodic task
            LastResort.warn(log, "a round failed; the next one still runs", t);
        } finally {
            running.set(false);
        }
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
        void runIfDue(Instant now, Duration away) {
            if (now.isBefore(due)) {
                return;
            }
            due = now.plus(period);
            wasLate = !wasLate && away.compareTo(period) > 0;
            try {
                if (wasLate) {
                    log.debug("{} loop is late by {}: no verdicts in this round", name, away);
                    tick.late(now);
                } else {
                    tick.tick(now);
                }
            } catch (Throwable t) { // whatever it is, the other loops and the next round still run
                log.warn("{} loop failed; the next round still runs", name, LogText.of(t));
            }
        }
    }
}
