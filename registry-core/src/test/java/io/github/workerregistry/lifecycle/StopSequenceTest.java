package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.lifecycle.StopSequence.Phase;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** How its steps meet the suspensions of the host; {@link LatenessTest} and the models have the rest. */
@ExtendWith(UnexpectedWarnings.class)
class StopSequenceTest {

    private static final Duration DRAIN = Duration.ofSeconds(30);
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final Instant START = Instant.EPOCH;

    private final Presence presence = new Presence(Duration.ofMillis(100), START);
    private final StopSequence stop = new StopSequence(Duration.ofSeconds(5), presence);

    private static Instant at(double second) {
        return START.plusMillis(Math.round(second * 1000));
    }

    private void begin(Instant now) {
        stop.begin(now, DRAIN, GRACE, DRAIN.plus(GRACE));
    }

    private void round(Instant now) {
        presence.working(now);
        presence.resting(now);
    }

    /** It was killed at once, though a lease was open. */
    @Test
    void whoReadTheClockBeforeASuspensionAndStopsAfterItStillHasItsTimeToDrain() {
        round(at(120));
        begin(at(0.5));

        assertThat(stop.next(at(120), 1, false, true)).isNull();
    }

    @Test
    void whoHurriesAStopHasHisTimeFromThenOn() {
        begin(START);
        for (int tenth = 1; tenth <= 50; tenth++) {
            round(at(tenth / 10.0));
        }
        stop.begin(at(5), Duration.ofMillis(200), GRACE, GRACE);
        round(at(5.1));

        assertThat(stop.next(at(5.1), 1, false, true)).isNull();
        round(at(5.2));
        assertThat(stop.next(at(5.2), 1, false, true)).isEqualTo(Phase.TERMINATED);
    }

    /** Only the last absences are known, or the stop of a host that has no CPU would not end. */
    @Test
    void aHostThatIsLateAllTheTimeStillEndsItsStops() {
        begin(START);
        assertThat(stop.next(START, 0, false, true)).isEqualTo(Phase.TERMINATED);
        int rounds = 0;
        Phase phase = null;
        for (; phase == null && rounds < 100; rounds++) {
            round(START.plusSeconds(4L * rounds));
            phase = stop.next(START.plusSeconds(4L * rounds), 0, false, true);
        }

        assertThat(phase).isEqualTo(Phase.KILLED);
        assertThat(rounds).isLessThan(24);
    }
}
