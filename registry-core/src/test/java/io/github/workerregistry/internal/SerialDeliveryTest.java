package io.github.workerregistry.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

@ExtendWith(UnexpectedWarnings.class)
class SerialDeliveryTest {

    private static final class Countdown implements SerialDelivery.Calls {
        int left;
        int made;

        @Nullable
        Error failure;

        @Override
        public boolean isEmpty() {
            return left == 0;
        }

        @Override
        public @Nullable Runnable next() {
            if (left == 0) {
                return null;
            }
            left--;
            Error thrown = failure;
            failure = null;
            if (thrown != null) {
                throw thrown;
            }
            return () -> made++;
        }

        @Override
        public void executorEnded(String reason) {
            throw new AssertionError(reason);
        }
    }

    private final Countdown calls = new Countdown();

    private SerialDelivery on(Executor executor) {
        return new SerialDelivery(
                executor,
                InstantSource.system(),
                LoggerFactory.getLogger(SerialDeliveryTest.class),
                () -> "a listener",
                calls);
    }

    /** Regression: each batch ran inside the one before, until the stack was full; nothing was delivered after that. */
    @Test
    void anExecutorThatRunsTasksInlineDeliversAnyNumberOfCalls() {
        SerialDelivery delivery = on(Runnable::run);
        calls.left = 10_000_000;

        delivery.wake();

        assertThat(calls.made).isEqualTo(10_000_000);
        assertThat(delivery.isDelivering()).isFalse();
    }

    /** Regression: the delivery counted as running for ever. */
    @Test
    void anErrorDoesNotEndTheDelivery() {
        calls.left = 3;
        calls.failure = new OutOfMemoryError("test");
        Deque<Runnable> tasks = new ArrayDeque<>();
        SerialDelivery delivery = on(tasks::add);

        delivery.wake();
        assertThatThrownBy(() -> tasks.remove().run()).isInstanceOf(OutOfMemoryError.class);
        delivery.wake();
        tasks.remove().run();

        assertThat(calls.made).isEqualTo(2);
        assertThat(delivery.isDelivering()).isFalse();
    }
}
