package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.START;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.testing.VirtualTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The largest slot counts and the earliest and latest instants are accepted. */
@ExtendWith(UnexpectedWarnings.class)
class ExtremeValuesTest {

    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(new VirtualTime()).build();

    @Test
    void workerMayHaveIntegerMaxValueSlots() {
        registry.register(SomeWorkers.idle("w", Integer.MAX_VALUE));
        registry.register(SomeWorkers.worker("full")
                .state(SomeWorkers.BUSY)
                .slotsTotal(Integer.MAX_VALUE)
                .build());

        try (SlotLease lease = registry.tryAcquire(SomeWorkers.MODEL).orElseThrow()) {
            assertThat(lease.worker().slotsAvailable()).isEqualTo(Integer.MAX_VALUE - 1);
            assertThat(registry.stats().slotsTotal()).isEqualTo(2L * Integer.MAX_VALUE);
            assertThat(registry.stats().slotsInUse()).isEqualTo(1L + Integer.MAX_VALUE);
        }
        assertThat(registry.get("w").orElseThrow().slotsInUse()).isZero();
    }

    @Test
    void earliestAndLatestInstantsAreAccepted() {
        for (Instant end : List.of(Instant.MIN, Instant.MAX)) {
            WorkerInfo worker = SomeWorkers.worker("w " + end)
                    .startedAt(end)
                    .lastActivity(end)
                    .lastHeartbeat(end)
                    .build();
            registry.register(worker);
            assertThat(worker.uptime(START).isNegative()).isFalse();
            assertThat(worker.uptime(Instant.MAX).isNegative()).isFalse();
        }
        assertThat(registry.list()).hasSize(2);
    }
}
