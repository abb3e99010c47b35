package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

@ExtendWith(UnexpectedWarnings.class)
class LeaseLeaksTest {

    private final VirtualTime time = new VirtualTime();

    private static final Logger log = (Logger) LoggerFactory.getLogger(LeaseLeaks.class);

    @BeforeEach
    void hearWhatIsSaidOfLeasesThatComeBack() {
        log.setLevel(Level.INFO);
    }

    @AfterEach
    void beQuietAgain() {
        log.setLevel(null);
    }

    private WorkerRegistry watching() {
        return watching(time);
    }

    private static WorkerRegistry watching(InstantSource clock) {
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock(clock)
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
    void aClockThatThrowsCostsNoSlot() {
        AtomicBoolean broken = new AtomicBoolean();
        WorkerRegistry registry = watching(() -> {
            if (broken.get()) {
                throw new IllegalStateException("no time");
            }
            return time.instant();
        });
        broken.set(true);

        assertThatThrownBy(() -> registry.tryAcquire("m")).hasMessage("no time");
        assertThatThrownBy(() -> registry.acquire("m", Duration.ZERO)).hasMessage("no time");

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

    /** Its close used to throw, where a clock had failed. */
    @Test
    void aReportedLeaseComesBackWithoutAClock() {
        UnexpectedWarnings.expect(
                "has been open for more than PT1M", "w that was open for more than PT1M has come back");
        AtomicBoolean broken = new AtomicBoolean();
        WorkerRegistry registry = watching(() -> {
            if (broken.get()) {
                throw new IllegalStateException("no time");
            }
            return time.instant();
        });
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        time.advance(Duration.ofMinutes(2));
        registry.reportLeaks();
        broken.set(true);

        lease.close();
    }

    /** Nothing was said of it again. */
    @Test
    void aReportedLeaseWhoseWorkerLeavesIsReportedAsVoid() {
        UnexpectedWarnings.expect(
                "has been open for more than PT1M", "w that was open for more than PT1M has become void");
        WorkerRegistry registry = watching();
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        time.advance(Duration.ofMinutes(2));
        registry.reportLeaks();

        registry.remove("w");
        registry.reportLeaks();

        lease.close();
    }
}
