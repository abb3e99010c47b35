package io.github.workerregistry.lifecycle;

import io.github.workerregistry.LogText;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All loops of a supervisor, each in its period, one after another.
 *
 * <p>The one place for survival and lateness: a loop that throws is logged and runs again in its next period; one that
 * runs late is told so.
 */
final class Loops {

    private static final Logger log = LoggerFactory.getLogger(Loops.class);

    private final InstantSource clock;
    private final Presence presence;
    private final List<Loop> loops = new ArrayList<>();
    private final AtomicBoolean running = new AtomicBoolean();
    private volatile long begunNanos;

    /**
     * None yet.
     *
     * @param presence is told when rounds begin, and how they get on
     */
    Loops(InstantSource clock, Presence presence) {
        this.clock = clock;
        this.presence = presence;
    }

    /** Adds a loop. All loops are added before the first round. */
    void add(String name, Duration period, Tick tick) {
        loops.add(new Loop(name, period, tick, false, clock.instant().plus(period)));
    }

    /** Adds a loop that ends workers. It may run twice at a time, because it runs also while another loop blocks. */
    void addUrgent(String name, Duration period, Tick tick) {
        loops.add(new Loop(name, period, tick, true, clock.instant().plus(period)));
    }

    /** The first round is about to be waited for. */
    void start() {
        presence.resting(clock.instant());
    }

    /** Runs what is due, unless another thread is in the middle of a round. */
    void runDue() {
        if (running.compareAndSet(false, true)) {
            begunNanos = System.nanoTime();
            try {
                runRound();
            } finally {
                running.set(false);
            }
        }
    }

    /** Runs the urgent loops alone if another thread is in the middle of a round, and has been for so long. */
    void runUrgentIfHeldUp(Duration forAsLong) {
        if (running.get() && System.nanoTime() - begunNanos > forAsLong.toNanos()) {
            runUrgent();
        }
    }

    private void runRound() {
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
        }
    }

    private void runUrgent() {
        for (Loop loop : loops) {
            if (loop.urgent) {
                Instant now = clock.instant();
                presence.working(now);
                loop.run(now, false);
            }
        }
        presence.resting(clock.instant());
    }

    private static final class Loop {
        final String name;
        final Duration period;
        final Tick tick;
        final boolean urgent;
        Instant due;
        boolean wasLate;

        Loop(String name, Duration period, Tick tick, boolean urgent, Instant due) {
            this.name = name;
            this.period = period;
            this.tick = tick;
            this.urgent = urgent;
            this.due = due;
        }

        /** Never late twice in a row: under constant overload every other round still gives verdicts. */
        void runIfDue(Instant now, Duration away) {
            if (now.isBefore(due)) {
                return;
            }
            due = now.plus(period);
            wasLate = !wasLate && away.compareTo(period) > 0;
            if (wasLate) {
                log.debug("{} loop is late by {}: no verdicts in this round", name, away);
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
            } catch (Throwable t) { // whatever it is, the other loops and the next round still run
                log.warn("{} loop failed; the next round still runs", name, LogText.of(t));
            }
        }
    }
}
