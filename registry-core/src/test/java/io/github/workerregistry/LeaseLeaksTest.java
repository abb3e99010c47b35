package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class LeaseLeaksTest {

    private final VirtualTime time = new VirtualTime();

    private WorkerRegistry watching() {
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock(time)
                .leaseLeakThreshold(Duration.ofMinutes(1))
                .build();
        registry.register(WorkerInfo.builder()
                .id("w")
                .url("http://h")
                .modelRef("m")
                .state(new Idle())
                .slotsTotal(3)
                .build());
        return registry;
    }

    @Test
    void aLeaseThatIsOpenForTooLongIsReportedOnce() throws InterruptedException {
        UnexpectedWarnings.expect("SlotLease[w, generation 1] has been open for more than PT1M");
        WorkerRegistry registry = watching();
        SlotLease forgotten = registry.acquire("m", Duration.ZERO);
        registry.tryAcquire("m").orElseThrow().close();
        time.advance(Duration.ofSeconds(30));
        SlotLease young = registry.tryAcquireFrom("w").orElseThrow();
        time.advance(Duration.ofSeconds(30));

        registry.reportLeaks();
        registry.reportLeaks();

        forgotten.close();
        young.close();
        assertThat(registry.stats().slotsInUse()).isZero();
    }

    @Test
    void aLeaseThatHasBecomeVoidIsNoLeak() {
        WorkerRegistry registry = watching();
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        registry.remove("w");
        time.advance(Duration.ofHours(1));

        registry.reportLeaks();

        assertThat(lease.isValid()).isFalse();
    }

    @Test
    void withoutAThresholdNothingIsReported() {
        WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();

        registry.reportLeaks();

        assertThatThrownBy(() -> WorkerRegistry.builder().leaseLeakThreshold(Duration.ZERO))
                .hasMessageContaining("leaseLeakThreshold");
    }
}
