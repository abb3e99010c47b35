package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class BusyTimeoutTest {

    private final VirtualHive hive = VirtualHive.with(config -> config.busyTimeout(Duration.ofMinutes(1)));

    @Test
    void aWorkerMayBeBusyWithoutLimitByDefault() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();
        hive.lease(id);
        hive.advance(Duration.ofHours(5));
        assertThat(hive.state(id)).isEqualTo(new Busy());
    }

    @Test
    void aWorkerWithoutLeaseActivityIsStoppedAtTheBusyTimeout() {
        UnexpectedWarnings.expect(Warnings.NO_LEASE_ACTIVITY + " for PT1M");
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);

        hive.advanceSeconds(59);
        assertThat(hive.state(id)).isEqualTo(new Busy());
        hive.advanceSeconds(3);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(lease.isValid()).isFalse();
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.BUSY_TIMEOUT);
    }

    @Test
    void aLeakedLeaseIsReportedWithinASecond() {
        UnexpectedWarnings.expect("has been open for more than PT1M");
        VirtualTime time = new VirtualTime();
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock(time)
                .leaseLeakThreshold(Duration.ofMinutes(1))
                .build();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                .processController(new FakeProcessController())
                .build();
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.reportReady(id);
        SlotLease leaked = registry.tryAcquireFrom(id).orElseThrow();

        time.advance(Duration.ofSeconds(61));

        assertThat(leaked.isValid()).isTrue();
    }

    /** The snapshot of all workers is older than the stops of the workers before it. */
    @Test
    void leaseActivityWhileAnotherWorkerIsStoppedCounts() {
        UnexpectedWarnings.expect(Warnings.NO_LEASE_ACTIVITY + " for PT1M");
        String hung = hive.spawnReady();
        String other = hive.spawnReady();
        hive.lease(hung);
        AtomicReference<SlotLease> lease = new AtomicReference<>(hive.lease(other));
        hive.registry.subscribe(
                event -> {
                    if (event instanceof WorkerEvent.StopStarted) {
                        lease.get().close();
                        lease.set(hive.lease(other));
                    }
                },
                Runnable::run);

        hive.advanceSeconds(65);

        assertThat(hive.isRemoved(hung)).isTrue();
        assertThat(lease.get().isValid()).isTrue();
    }

    @Test
    void eachReleaseRestartsTheBusyTimeout() {
        String id = hive.spawnReady();
        for (int i = 0; i < 20; i++) {
            SlotLease lease = hive.lease(id);
            hive.advanceSeconds(50);
            lease.close();
        }
        assertThat(hive.state(id)).isEqualTo(new Idle());
    }
}
