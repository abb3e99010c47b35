package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** With a wall clock of its own: a test with real processes would have to set the clock of its machine. */
@ExtendWith(UnexpectedWarnings.class)
class MonotonicClockTest {

    private static final Instant START = Instant.parse("2026-03-29T00:59:59Z");

    private final AtomicReference<Instant> wall = new AtomicReference<>(START);
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // nanoTime() may be anything, and may overflow
    private final MonotonicClock clock = new MonotonicClock(wall::get, nanos::get);

    @Test
    void itBeginsAtTheWallTimeAndGoesOnWithTheTimeElapsed() {
        assertThat(clock.instant()).isEqualTo(START);

        nanos.addAndGet(Duration.ofHours(3).toNanos());

        assertThat(clock.instant()).isEqualTo(START.plus(Duration.ofHours(3)));
    }

    @Test
    void aJumpOfTheWallClockForwardsOrBackChangesNothing() {
        for (int hours : new int[] {1, -24}) {
            wall.set(START.plus(Duration.ofHours(hours)));

            assertThat(clock.instant()).isEqualTo(START);
        }
    }

    @Test
    void theRegistrysOwnClockIsThisOne() {
        assertThat(WorkerRegistry.create().clock()).isInstanceOf(MonotonicClock.class);
    }
}
