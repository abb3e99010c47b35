package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.START;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.WorkerState.Loading;
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

    /** Regression: the message named a negative generation. */
    @Test
    void workerInItsLastGenerationIsNotRestarted() {
        WorkerInfo last = SomeWorkers.worker("w").generation(Integer.MAX_VALUE).build();
        WorkerInfo backingOff =
                last.toBuilder().state(SomeWorkers.backingOff(last)).build();
        registry.register(backingOff);

        assertThatThrownBy(() -> registry.updateState("w", new Loading(START)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("generation must be < 2147483647");
        assertThatThrownBy(() -> registry.supervision().restartIfUnchanged(backingOff, new Loading(START), "http://w"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(registry.get("w")).contains(backingOff);
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
