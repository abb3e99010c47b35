package io.github.workerregistry.examples.bench;

import java.util.Locale;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** The extent and duration of the measurements. */
enum Plan {
    /** A smoke test of three minutes; its numbers are meaningless. */
    TRIAL(1, 1, 1, 100),
    /** The measurements for the targets, in ten minutes. */
    QUICK(1, 3, 5, 400),
    /** Every combination, each as in {@link #QUICK}, in half an hour. */
    FULL(1, 3, 5, 400);

    private final int forks;
    private final int warmups;
    private final int measurements;
    private final int millisEach;

    Plan(int forks, int warmups, int measurements, int millisEach) {
        this.forks = forks;
        this.warmups = warmups;
        this.measurements = measurements;
        this.millisEach = millisEach;
    }

    static Plan of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    /** Options of JMH, without what to run. */
    ChainedOptionsBuilder options() {
        TimeValue each = TimeValue.milliseconds(millisEach);
        return new OptionsBuilder()
                .addProfiler(GCProfiler.class)
                .forks(forks)
                .warmupIterations(warmups)
                .warmupTime(each)
                .measurementIterations(measurements)
                .measurementTime(each)
                .timeout(TimeValue.seconds(60))
                .shouldFailOnError(false);
    }

    /** The part of {@code count} for this plan. */
    int part(int count) {
        return this == TRIAL ? Math.max(1, count / 10) : count;
    }
}
