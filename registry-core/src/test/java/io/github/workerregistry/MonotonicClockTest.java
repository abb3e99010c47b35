package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The monotonic clock over a wall clock of the test; the clock of the machine is not set. */
@ExtendWith(UnexpectedWarnings.class)
class MonotonicClockTest {

    private static final Instant START = Instant.parse("2026-03-29T00:59:59Z");

    private final AtomicReference<Instant> wall = new AtomicReference<>(START);
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // nanoTime() has any origin and may overflow
    private final MonotonicClock clock = new MonotonicClock(wall::get, nanos::get);

    @Test
    void clockStartsAtTheWallTimeAndAdvancesWithTheElapsedTime() {
        assertThat(clock.instant()).isEqualTo(START);

        nanos.addAndGet(Duration.ofHours(3).toNanos());

        assertThat(clock.instant()).isEqualTo(START.plus(Duration.ofHours(3)));
    }

    @Test
    void jumpOfTheWallClockChangesNothing() {
        for (int hours : new int[] {1, -24}) {
            wall.set(START.plus(Duration.ofHours(hours)));

            assertThat(clock.instant()).isEqualTo(START);
        }
    }

    @Test
    void clockOfARegistryIsMonotonicByDefault() {
        assertThat(WorkerRegistry.create().clock()).isInstanceOf(MonotonicClock.class);
    }
}
