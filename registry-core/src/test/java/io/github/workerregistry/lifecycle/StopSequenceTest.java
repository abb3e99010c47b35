package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.lifecycle.StopSequence.Phase;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The steps of a stop and pauses of the hive; {@link PauseTest} and the models cover the rest. */
@ExtendWith(UnexpectedWarnings.class)
class StopSequenceTest {

    private static final Duration DRAIN = Duration.ofSeconds(30);
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final Instant START = Instant.EPOCH;

    private final PauseTracker pauses = new PauseTracker(Duration.ofMillis(100), START);
    private final StopSequence stop = new StopSequence(Duration.ofSeconds(5), pauses);

    private static Instant at(double second) {
        return START.plusMillis(Math.round(second * 1000));
    }

    private void begin(Instant now) {
        stop.begin(now, DRAIN, GRACE, DRAIN.plus(GRACE));
    }

    private void tick(Instant now) {
        pauses.stepStarted(now);
        pauses.tickEnded(now);
    }

    /** Regression: it was killed at once, though a lease was open. */
    @Test
    void aStopWithAClockReadingFromBeforeAPauseKeepsItsDrainTimeout() {
        tick(at(120));
        begin(at(0.5));

        assertThat(stop.next(at(120), 1, false, true)).isNull();
    }

    @Test
    void aShorterDrainTimeoutCountsFromTheSecondStop() {
        begin(START);
        for (int tenth = 1; tenth <= 50; tenth++) {
            tick(at(tenth / 10.0));
        }
        stop.begin(at(5), Duration.ofMillis(200), GRACE, GRACE);
        tick(at(5.1));

        assertThat(stop.next(at(5.1), 1, false, true)).isNull();
        tick(at(5.2));
        assertThat(stop.next(at(5.2), 1, false, true)).isEqualTo(Phase.TERMINATED);
    }

    /** Only the last pauses are kept, so that a stop completes in a hive that never gets the CPU in time. */
    @Test
    void aStopCompletesIfEveryTickIsLate() {
        begin(START);
        assertThat(stop.next(START, 0, false, true)).isEqualTo(Phase.TERMINATED);
        int ticks = 0;
        Phase phase = null;
        for (; phase == null && ticks < 100; ticks++) {
            tick(START.plusSeconds(4L * ticks));
            phase = stop.next(START.plusSeconds(4L * ticks), 0, false, true);
        }

        assertThat(phase).isEqualTo(Phase.KILLED);
        assertThat(ticks).isLessThan(24);
    }
}
