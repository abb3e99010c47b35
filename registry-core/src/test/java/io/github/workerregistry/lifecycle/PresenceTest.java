package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What {@link LatenessTest} tells of suspended hives, to the second. */
@ExtendWith(UnexpectedWarnings.class)
class PresenceTest {

    private static final Instant START = Instant.EPOCH;

    private final Presence presence = new Presence(Duration.ofSeconds(1), START);

    private static Instant at(long second) {
        return START.plusSeconds(second);
    }

    /** In seconds since the start. */
    private long presentAt(long second) {
        return presence.since(START, at(second)).toSeconds();
    }

    @Test
    void aRoundThatIsLateByAPeriodIsOnTimeAndOneThatIsLaterIsNot() {
        assertThat(presence.isAway(at(2))).isFalse();
        assertThat(presence.isAway(at(2).plusNanos(1))).isTrue();
        assertThat(presentAt(2)).isEqualTo(2);
    }

    @Test
    void anAbsenceCountsOnceBeforeDuringAndAfterTheRoundThatFindsIt() {
        assertThat(presentAt(11)).as("before").isEqualTo(1);
        assertThat(presence.working(at(11))).isEqualTo(Duration.ofSeconds(10));
        assertThat(presentAt(11)).as("during").isEqualTo(1);
        presence.resting(at(11));
        assertThat(presentAt(12)).as("after").isEqualTo(2);
    }

    @Test
    void anAbsenceThatStillLastsCountsBesideOneThatHasEnded() {
        presence.working(at(11));
        presence.resting(at(11));

        assertThat(presentAt(21)).isEqualTo(2);
    }

    @Test
    void aLongRoundIsNoAbsence() {
        for (int step = 1; step <= 91; step += 10) {
            assertThat(presence.working(at(step))).isZero();
            assertThat(presence.isAway(at(step + 10))).isFalse();
        }

        assertThat(presentAt(101)).isEqualTo(101);
    }

    @Test
    void aStepThatTakesMoreThanTenPeriodsIsAnAbsenceFromItsBeginningOn() {
        presence.working(at(1));
        assertThat(presence.isAway(at(11).plusNanos(1))).isTrue();
        assertThat(presentAt(12)).as("before").isEqualTo(1);

        assertThat(presence.working(at(12))).isEqualTo(Duration.ofSeconds(11));
        presence.resting(at(12));

        assertThat(presentAt(13)).as("after").isEqualTo(2);
    }

    @Test
    void onlyTheLastSixteenAreKnownSoThatAHostThatIsAlwaysLateComesToAnEnd() {
        for (int i = 1; i <= 20; i++) {
            presence.working(at(10L * i));
            presence.resting(at(10L * i));
        }

        assertThat(presentAt(200)).isEqualTo(200 - 16 * 9);
    }
}
