package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

    /** What has failed may have failed because of it, and may be told after our round. */
    @Test
    void whoComesBackCountsAsAwayForAMoment() {
        presence.working(at(11));
        presence.resting(at(11));
        assertThat(presence.isAway(at(12).minusNanos(1))).isTrue();
        assertThat(presence.isAway(at(12))).isFalse();
        assertThat(presentAt(12)).as("but this counts").isEqualTo(2);

        presence.working(at(12));
        presence.resting(at(23));
        assertThat(presence.isAway(at(23)))
                .as("after the last step of a round, too")
                .isTrue();
    }

    @Test
    void aLongRoundIsNoAbsence() {
        Presence presence = new Presence(Duration.ofMillis(100), START);
        presence.resting(at(1));
        for (int step = 1; step <= 10; step++) {
            assertThat(presence.working(at(step))).isZero();
            assertThat(presence.isAway(at(step + 1))).isFalse();
        }
        assertThat(presence.since(at(1), at(11))).isEqualTo(Duration.ofSeconds(10));
    }

    /** A second, or ten periods if that is less, or one if that is more. */
    @ParameterizedTest
    @CsvSource({"10, 100", "100, 1000", "300, 1000", "3000, 3000"})
    void aStepThatTakesTooLongIsAnAbsenceFromItsBeginningOn(long period, long longest) {
        Presence presence = new Presence(Duration.ofMillis(period), START);
        presence.working(START);
        Instant inTime = START.plusMillis(longest);
        assertThat(presence.isAway(inTime)).isFalse();
        assertThat(presence.since(START, inTime)).isEqualTo(Duration.ofMillis(longest));

        Instant late = inTime.plusMillis(1);
        assertThat(presence.isAway(late)).isTrue();
        assertThat(presence.since(START, late)).as("before").isZero();
        assertThat(presence.working(late)).isEqualTo(Duration.ofMillis(longest + 1));
        presence.resting(late);

        assertThat(presence.since(START, late.plusMillis(1))).as("after").isEqualTo(Duration.ofMillis(1));
    }

    /** It had made the time to drain of whoever read the clock before a suspension, and called after it, negative. */
    @Test
    void anAbsenceThatCameLaterIsNotTakenOff() {
        presence.working(at(120));
        presence.resting(at(120));

        assertThat(presentAt(1)).isEqualTo(1);
        assertThat(presentAt(60)).isEqualTo(1);
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
