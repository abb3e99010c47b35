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
    void logAtInfo() {
        log.setLevel(Level.INFO);
    }

    @AfterEach
    void resetLevel() {
        log.setLevel(null);
    }

    private WorkerRegistry registryWithThreshold() {
        return registryWithThreshold(time);
    }

    private static WorkerRegistry registryWithThreshold(InstantSource clock) {
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
    void leaseOpenBeyondTheThresholdIsReportedOnce() throws InterruptedException {
        UnexpectedWarnings.expect(LeaseLeaks.class, Level.WARN, "SlotLease[w, generation 1]", "PT1M");
        WorkerRegistry registry = registryWithThreshold();
        SlotLease leaked = registry.acquire("m", Duration.ZERO);
        registry.tryAcquire("m").orElseThrow().close();
        time.advance(Duration.ofSeconds(30));
        SlotLease recent = registry.tryAcquireFrom("w").orElseThrow();
        time.advance(Duration.ofSeconds(30));

        registry.supervision().reportLeaks();
        registry.supervision().reportLeaks();

        leaked.close();
        recent.close();
        assertThat(registry.stats().slotsInUse()).isZero();
    }

    @Test
    void throwingClockLosesNoSlot() {
        AtomicBoolean broken = new AtomicBoolean();
        WorkerRegistry registry = registryWithThreshold(() -> {
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
    void voidLeaseIsNoLeak() {
        WorkerRegistry registry = registryWithThreshold();
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        registry.remove("w");
        time.advance(Duration.ofHours(1));

        registry.supervision().reportLeaks();

        assertThat(lease.isValid()).isFalse();
    }

    @Test
    void withoutAThresholdNothingIsReported() {
        WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();

        registry.supervision().reportLeaks();

        assertThatThrownBy(() -> WorkerRegistry.builder()
                        .leaseLeakThreshold(Duration.ZERO)
                        .build())
                .hasMessageContaining("leaseLeakThreshold");
    }

    /** Regression: its close threw if the clock failed. */
    @Test
    void reportedLeaseIsClosedWithoutTheClock() {
        UnexpectedWarnings.expect(LeaseLeaks.class, Level.WARN, "SlotLease[w, generation 1]");
        UnexpectedWarnings.expect(LeaseLeaks.class, Level.INFO, "worker w");
        AtomicBoolean broken = new AtomicBoolean();
        WorkerRegistry registry = registryWithThreshold(() -> {
            if (broken.get()) {
                throw new IllegalStateException("no time");
            }
            return time.instant();
        });
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        time.advance(Duration.ofMinutes(2));
        registry.supervision().reportLeaks();
        broken.set(true);

        lease.close();
    }

    /** Regression: nothing was logged after the first report. */
    @Test
    void reportedLeaseOfARemovedWorkerIsReportedAsVoid() {
        UnexpectedWarnings.expect(LeaseLeaks.class, Level.WARN, "SlotLease[w, generation 1]");
        UnexpectedWarnings.expect(LeaseLeaks.class, Level.INFO, "worker w");
        WorkerRegistry registry = registryWithThreshold();
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        time.advance(Duration.ofMinutes(2));
        registry.supervision().reportLeaks();

        registry.remove("w");
        registry.supervision().reportLeaks();

        lease.close();
    }
}
