package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The pauses of {@link PauseTest}, to the second. */
@ExtendWith(UnexpectedWarnings.class)
class PauseTrackerTest {

    private static final Instant START = Instant.EPOCH;

    private final PauseTracker pauses = new PauseTracker(Duration.ofSeconds(1), START);

    private static Instant at(long second) {
        return START.plusSeconds(second);
    }

    /** Active time since the start, in seconds. */
    private long activeAt(long second) {
        return pauses.activeTime(START, at(second)).toSeconds();
    }

    @Test
    void aTickLateByMoreThanAPeriodShowsAPause() {
        assertThat(pauses.isPaused(at(2))).isFalse();
        assertThat(pauses.isPaused(at(2).plusNanos(1))).isTrue();
        assertThat(activeAt(2)).isEqualTo(2);
    }

    @Test
    void aPauseCountsOnceBeforeDuringAndAfterTheTickThatRecordsIt() {
        assertThat(activeAt(11)).as("before").isEqualTo(1);
        assertThat(pauses.stepStarted(at(11))).isEqualTo(Duration.ofSeconds(10));
        assertThat(activeAt(11)).as("during").isEqualTo(1);
        pauses.tickEnded(at(11));
        assertThat(activeAt(12)).as("after").isEqualTo(2);
    }

    @Test
    void anOngoingPauseCountsInAdditionToARecordedOne() {
        pauses.stepStarted(at(11));
        pauses.tickEnded(at(11));

        assertThat(activeAt(21)).isEqualTo(2);
    }

    /** A failure may be caused by the pause and be reported after the tick. */
    @Test
    void aPauseIsStillReportedForAMomentAfterItsEnd() {
        pauses.stepStarted(at(11));
        pauses.tickEnded(at(11));
        assertThat(pauses.isPaused(at(12).minusNanos(1))).isTrue();
        assertThat(pauses.isPaused(at(12))).isFalse();
        assertThat(activeAt(12)).as("but this counts").isEqualTo(2);

        pauses.stepStarted(at(12));
        pauses.tickEnded(at(23));
        assertThat(pauses.isPaused(at(23)))
                .as("also after the last step of a tick")
                .isTrue();
    }

    @Test
    void aLongTickIsNoPause() {
        PauseTracker pauses = new PauseTracker(Duration.ofMillis(100), START);
        pauses.tickEnded(at(1));
        for (int step = 1; step <= 10; step++) {
            assertThat(pauses.stepStarted(at(step))).isZero();
            assertThat(pauses.isPaused(at(step + 1))).isFalse();
        }
        assertThat(pauses.activeTime(at(1), at(11))).isEqualTo(Duration.ofSeconds(10));
    }

    /** A second, or ten periods if that is less, or one if that is more. */
    @ParameterizedTest
    @CsvSource({"10, 100", "100, 1000", "300, 1000", "3000, 3000"})
    void aStepThatTakesTooLongIsAPauseFromItsStart(long period, long longest) {
        PauseTracker pauses = new PauseTracker(Duration.ofMillis(period), START);
        pauses.stepStarted(START);
        Instant inTime = START.plusMillis(longest);
        assertThat(pauses.isPaused(inTime)).isFalse();
        assertThat(pauses.activeTime(START, inTime)).isEqualTo(Duration.ofMillis(longest));

        Instant late = inTime.plusMillis(1);
        assertThat(pauses.isPaused(late)).isTrue();
        assertThat(pauses.activeTime(START, late)).as("before").isZero();
        assertThat(pauses.stepStarted(late)).isEqualTo(Duration.ofMillis(longest + 1));
        pauses.tickEnded(late);

        assertThat(pauses.activeTime(START, late.plusMillis(1))).as("after").isEqualTo(Duration.ofMillis(1));
    }

    /** Regression: the drain time was negative if the clock was read before a suspend and used after it. */
    @Test
    void aLaterPauseIsNotSubtracted() {
        pauses.stepStarted(at(120));
        pauses.tickEnded(at(120));

        assertThat(activeAt(1)).isEqualTo(1);
        assertThat(activeAt(60)).isEqualTo(1);
    }

    @Test
    void onlyTheLastSixteenPausesAreKeptSoThatWaitsEndEvenIfEveryTickIsLate() {
        for (int i = 1; i <= 20; i++) {
            pauses.stepStarted(at(10L * i));
            pauses.tickEnded(at(10L * i));
        }

        assertThat(activeAt(200)).isEqualTo(200 - 16 * 9);
    }
}
