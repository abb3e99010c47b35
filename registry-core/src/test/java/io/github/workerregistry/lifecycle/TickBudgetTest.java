package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class TickBudgetTest {

    private static final Duration LIMIT = Duration.ofMillis(25);
    private static final int MIN_WORKERS = 16;

    private final AtomicLong nanos = new AtomicLong(-5);
    private final TickBudget budget = new TickBudget(LIMIT, nanos::get);

    @Test
    void isNotSpentWithinTheLimitHoweverManyAreHandled() {
        nanos.addAndGet(LIMIT.toNanos() - 1);

        assertThat(handledUntilSpent(1_000)).isEqualTo(1_000);
    }

    @Test
    void isSpentAfterTheLimit() {
        handledUntilSpent(MIN_WORKERS);
        assertThat(budget.isSpent()).isFalse();

        nanos.addAndGet(LIMIT.toNanos());

        assertThat(budget.isSpent()).isTrue();
    }

    /** A slow machine makes progress, too. */
    @Test
    void someWorkersAreHandledEvenAfterTheLimit() {
        nanos.addAndGet(Duration.ofSeconds(1).toNanos());

        assertThat(handledUntilSpent(1_000)).isEqualTo(MIN_WORKERS);
    }

    private int handledUntilSpent(int atMost) {
        int handled = 0;
        while (handled < atMost && !budget.isSpent()) {
            budget.handled();
            handled++;
        }
        return handled;
    }
}
