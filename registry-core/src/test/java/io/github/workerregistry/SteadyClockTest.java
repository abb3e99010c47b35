package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class SteadyClockTest {

    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private Instant source = NOON;
    private final SteadyClock clock = new SteadyClock(() -> source);

    private void set(Duration sinceNoon) {
        source = NOON.plus(sinceNoon);
    }

    private Duration sinceNoon() {
        return Duration.between(NOON, clock.instant());
    }

    @Test
    void clockFollowsASourceThatGoesForward() {
        assertThat(sinceNoon()).isZero();
        set(Duration.ofNanos(1));
        assertThat(sinceNoon()).isEqualTo(Duration.ofNanos(1));
        set(Duration.ofHours(3));
        assertThat(sinceNoon()).isEqualTo(Duration.ofHours(3));
    }

    @Test
    void clockContinuesAtTheSamePaceAfterTheSourceIsSetBack() {
        set(Duration.ofMinutes(5));
        clock.instant();

        set(Duration.ofMinutes(-55));
        assertThat(sinceNoon()).isEqualTo(Duration.ofMinutes(5));
        set(Duration.ofMinutes(-54));
        assertThat(sinceNoon()).isEqualTo(Duration.ofMinutes(6));
    }

    @Test
    void clockNeverGoesBackIfTheSourceIsSetBackRepeatedly() {
        clock.instant();
        for (int i = 1; i <= 10; i++) {
            set(Duration.ofHours(-i));
            assertThat(sinceNoon()).isZero();
        }
        set(Duration.ofHours(-10).plusSeconds(7));
        assertThat(sinceNoon()).isEqualTo(Duration.ofSeconds(7));
    }

    @Test
    void clockWaitsForASourceThatIsBehindByASecondOrLess() {
        set(Duration.ofSeconds(10));
        clock.instant();

        set(Duration.ofSeconds(9));
        assertThat(sinceNoon()).isEqualTo(Duration.ofSeconds(10));
        set(Duration.ofSeconds(10).plusMillis(1));
        assertThat(sinceNoon()).isEqualTo(Duration.ofSeconds(10).plusMillis(1));
    }

    /** A thread was suspended between its reading and the comparison; the source was not set back. */
    @Test
    void oldReadingIsReadAgainBeforeTheSourceCountsAsSetBack() {
        Deque<Instant> readings = new ArrayDeque<>(
                List.of(NOON.plusSeconds(100), NOON.plusSeconds(2), NOON.plusSeconds(101), NOON.plusSeconds(102)));
        SteadyClock clock = new SteadyClock(readings::remove);
        assertThat(clock.instant()).isEqualTo(NOON.plusSeconds(100));

        assertThat(clock.instant()).isEqualTo(NOON.plusSeconds(101));
        assertThat(clock.instant()).isEqualTo(NOON.plusSeconds(102));
    }
}
