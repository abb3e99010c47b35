package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The time of a worker's last work. */
@ExtendWith(UnexpectedWarnings.class)
class LastActivityTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().node("gpu-1").clock(time).build();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    private void later() {
        time.advance(Duration.ofSeconds(1));
    }

    @Test
    void onlyLeasesChangeLastActivity() {
        registry.register(idle("w", 2));
        later();

        registry.heartbeat("w");
        registry.incrementFailedHealthChecks("w");
        registry.supervision().checkPassed(now("w").incarnation());
        registry.supervision().started(now("w").incarnation(), 4711);
        registry.findIdleWorker(MODEL);
        registry.findByNodeAndModel("gpu-1", MODEL);
        registry.idleWorkers();
        registry.list();
        registry.stats();

        assertThat(now("w").lastActivity()).isEqualTo(START);
    }

    @Test
    void acquireAndCloseUpdateLastActivity() {
        registry.register(idle("w", 2));
        later();
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(1));

        later();
        assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(1));

        later();
        lease.close();
        assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(3));

        later();
        assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(3));
    }

    @Test
    void closingAClosedLeaseDoesNotChangeLastActivity() {
        registry.register(idle("w", 2));
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        later();
        lease.close();
        now("w");
        later();

        lease.close();

        assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(1));
    }

    @Test
    void everyReadRecordsTheWorkSinceTheLastRead() {
        Map<String, Consumer<String>> reads = Map.of(
                "get", id -> registry.get(id),
                "list", id -> registry.list(),
                "list of a model", id -> registry.list(id),
                "idleWorkers", id -> registry.idleWorkers(),
                "findByNodeAndModel", id -> registry.findByNodeAndModel("gpu-1", id),
                "findIdleWorker", id -> registry.findIdleWorker(id));
        reads.forEach((name, read) -> {
            registry.register(idle(name, 1).toBuilder().modelRef(name).build());
            registry.tryAcquireFrom(name).orElseThrow().close();
            later();
            Instant readAt = time.instant();
            read.accept(name);
            later();

            assertThat(now(name).lastActivity()).as(name).isEqualTo(readAt);
        });
    }

    /** Regression: work that had not been read yet was lost at a transition. */
    @Test
    void transitionRecordsWorkThatWasNotReadYet() {
        registry.register(idle("w", 1));
        later();
        registry.tryAcquireFrom("w").orElseThrow().close();

        assertThat(registry.updateState("w", STOPPING).orElseThrow().lastActivity())
                .isEqualTo(START.plusSeconds(1));
        assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(1));
    }

    @Test
    void readOfAnUnusedWorkerDoesNotReadTheClock() {
        AtomicInteger readings = new AtomicInteger();
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock(() -> {
                    readings.incrementAndGet();
                    return time.instant();
                })
                .build();
        readings.set(0); // without the readings of the builder
        registry.register(idle("w", 1));
        registry.get("w");
        assertThat(readings).hasValue(0);

        registry.tryAcquireFrom("w");
        registry.get("w");

        assertThat(readings).hasValue(1);
    }
}
