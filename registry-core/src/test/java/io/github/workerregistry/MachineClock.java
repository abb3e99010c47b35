package io.github.workerregistry;

import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * The clocks of a machine in virtual time. Its wall clock can be set, and the machine can be suspended: time passes and
 * nothing runs. Its instants are those of a registry that is built without a clock: the monotonic clock over both.
 */
@SuppressWarnings("exports") // a test class in an exported package; no user sees it
public final class MachineClock implements InstantSource {

    private final MonotonicClock monotonic;
    private Duration suspended = Duration.ZERO;
    private Duration wallIsAheadBy = Duration.ZERO;

    /**
     * The clocks of a machine that runs.
     *
     * @param running the time in which it runs
     */
    public MachineClock(VirtualTime running) {
        Instant start = running.instant();
        monotonic = new MonotonicClock(
                () -> running.instant().plus(suspended).plus(wallIsAheadBy),
                () -> Duration.between(start, running.instant()).plus(suspended).toNanos());
    }

    @Override
    public Instant instant() {
        return monotonic.instant();
    }

    /**
     * Suspends the machine: time passes and nothing runs.
     *
     * @param howLong &ge; 0
     */
    public void suspend(Duration howLong) {
        suspended = suspended.plus(howLong);
    }

    /**
     * Sets the wall clock.
     *
     * @param by how far: forwards, or, if negative, back
     */
    public void setWallClock(Duration by) {
        wallIsAheadBy = wallIsAheadBy.plus(by);
    }
}
