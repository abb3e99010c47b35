package io.github.workerregistry.examples.hive;

import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotTimeoutException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;

/** How long requests waited for a slot, by outcome. */
final class AcquireTimes {

    private static final Duration[] BUCKETS = {
        Duration.ofMillis(1),
        Duration.ofMillis(10),
        Duration.ofMillis(100),
        Duration.ofSeconds(1),
        Duration.ofSeconds(10),
        Duration.ofMinutes(1)
    };

    /** How a request for a slot ended. */
    private enum Outcome {
        GRANTED,
        TIMEOUT,
        CANCELLED,
        REFUSED,
        ABSENT;

        static Outcome of(Throwable failure) {
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            if (cause instanceof SlotTimeoutException) {
                return TIMEOUT;
            }
            if (cause instanceof CancellationException) {
                return CANCELLED;
            }
            return cause instanceof NoWorkerException ? ABSENT : REFUSED;
        }
    }

    private final Map<Outcome, Timer> timers = new EnumMap<>(Outcome.class);

    AcquireTimes(MeterRegistry meters) {
        for (Outcome outcome : Outcome.values()) {
            timers.put(
                    outcome,
                    Timer.builder("hive.acquire")
                            .description("Time until a request for a slot has ended")
                            .tag("outcome", outcome.name().toLowerCase(Locale.ROOT))
                            .serviceLevelObjectives(BUCKETS)
                            .register(meters));
        }
    }

    /** A slot was free. */
    void granted() {
        timers.get(Outcome.GRANTED).record(Duration.ZERO);
    }

    /** There is no such model. */
    void absent() {
        timers.get(Outcome.ABSENT).record(Duration.ZERO);
    }

    PendingSlot measured(PendingSlot pending) {
        long start = System.nanoTime();
        pending.lease()
                .whenComplete((lease, failure) -> timers.get(failure == null ? Outcome.GRANTED : Outcome.of(failure))
                        .record(Duration.ofNanos(System.nanoTime() - start)));
        return pending;
    }
}
