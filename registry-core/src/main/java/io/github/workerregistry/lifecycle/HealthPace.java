package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;

/**
 * When a ready worker is probed: once per interval, counted from the start of the previous probe, with a jitter of 10 %
 * so that workers started together drift apart.
 */
final class HealthPace implements ProbePace {

    private static final double JITTER = 0.1;

    private final Duration interval;
    private Instant due;

    HealthPace(Duration interval, Instant now) {
        this.interval = interval;
        this.due = now.plus(spread(interval));
    }

    @Override
    public boolean isDue(WorkerInfo worker, Instant now) {
        return !now.isBefore(due);
    }

    @Override
    public void opened(WorkerInfo worker, Instant now) {
        due = now.plus(spread(interval));
    }

    @Override
    public void closed(Instant now) {
        // the interval counts from the start of a probe
    }

    private static Duration spread(Duration interval) {
        double spread = 1 + JITTER * (2 * ThreadLocalRandom.current().nextDouble() - 1);
        return Duration.ofMillis(Math.max(1, Math.round(interval.toMillis() * spread)));
    }

    /** The longest time between two health checks of a worker, if none is delayed. */
    static Duration longestInterval(LifecycleConfig config) {
        Duration interval = config.healthInterval();
        return interval.plus(interval.dividedBy(Math.round(1 / JITTER)));
    }
}
