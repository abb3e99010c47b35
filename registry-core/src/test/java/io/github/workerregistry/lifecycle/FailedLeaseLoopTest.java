package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.LeaseEnd;
import io.github.workerregistry.LeaseEnd.Lost;
import io.github.workerregistry.LeaseEnd.Released;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Checks of a worker of which a lease has failed: whether its process runs, and if not, what the lease ends with. */
@ExtendWith(UnexpectedWarnings.class)
class FailedLeaseLoopTest {

    private final IOException reset = new IOException("connection reset");
    private final FakeProcessController processes = new FakeProcessController();
    private final VirtualHive hive = new VirtualHive();

    private static CompletableFuture<LeaseEnd> end(SlotLease lease) {
        return lease.whenEnded().toCompletableFuture();
    }

    private WorkerSupervisor withoutProbe(VirtualHive hive) {
        return WorkerSupervisor.builder(hive.registry, hive.time)
                .processController(processes)
                .restartPolicy(RestartPolicy.never())
                .build();
    }

    /**
     * Regression: an exit is detected 2 to 26 ms after the connection breaks; until then the worker was leased again.
     */
    @Test
    void anUnnotifiedExitIsDetectedAtOnce() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 9");
        VirtualHive restarting = VirtualHive.restarting();
        String id = restarting.spawnReady();
        String other = restarting.spawnReady();
        SlotLease lease = restarting.lease(id);
        restarting.processes.exitUnnoticed(id, 137);
        assertThat(lease.isValid()).as("the exit is not detected yet").isTrue();

        lease.fail(reset);

        assertThat(lease.lostWithin(Duration.ZERO)).as("not yet").isFalse();
        assertThat(restarting.registry.tryAcquireFrom(id)).isEmpty();
        assertThat(restarting.registry.tryAcquire("tiny"))
                .map(SlotLease::workerId)
                .hasValue(other);
        restarting.advance(Duration.ZERO);
        assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
        assertThat(restarting.state(id))
                .isInstanceOfSatisfying(
                        BackingOff.class,
                        backingOff ->
                                assertThat(end(lease)).isCompletedWithValue(new Lost(Optional.of(backingOff.exit()))));
    }

    @Test
    void anExitDetectedLaterEndsTheLeaseAsLost() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();
        hive.probe.answer(id, HealthStatus.unhealthy("connection refused"));
        SlotLease lease = hive.lease(id);
        lease.fail(reset);
        hive.advance(Duration.ofMillis(20));

        hive.processes.exit(id, 137);

        assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
        assertThat(hive.supervisor.recentExits()).extracting(Exit::cause).containsExactly(Exit.Cause.CRASHED);
    }

    @Test
    void withoutAProbeAWorkerPassesIfItsProcessStillRunsAfterTheCheck() {
        VirtualHive hive = new VirtualHive();
        try (WorkerSupervisor plain = withoutProbe(hive)) {
            String id = plain.spawn(VirtualHive.SPEC).id();
            plain.reportReady(id);
            SlotLease lease = hive.lease(id);
            lease.fail(reset);
            hive.advance(Duration.ofMillis(99));
            assertThat(hive.canLease(id)).isFalse();
            hive.advance(Duration.ofMillis(101));
            assertThat(hive.canLease(id)).isTrue();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }
    }

    @Test
    void withoutAProbeAnExitDuringTheCheckIsDetected() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive hive = new VirtualHive();
        try (WorkerSupervisor plain = withoutProbe(hive)) {
            String id = plain.spawn(VirtualHive.SPEC).id();
            plain.reportReady(id);
            SlotLease lease = hive.lease(id);
            lease.fail(reset);
            hive.advance(Duration.ofMillis(50));
            processes.exitUnnoticed(id, 1);
            hive.advance(Duration.ofMillis(150));

            assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
        }
    }

    @Test
    void aRegisteredWorkerIsNotCheckedWithoutAProbe() {
        hive.supervisor.closeNow();
        try (WorkerSupervisor plain = withoutProbe(hive)) {
            assertThat(plain.recentExits()).isEmpty();
            hive.register("own", new Idle());
            SlotLease lease = hive.lease("own");
            lease.fail(reset);

            assertThat(hive.canLease("own")).isTrue();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }
    }

    /** Regression: the first supervisor checked it, with the wrong probe. */
    @Test
    void aWorkerIsCheckedByItsOwnSupervisor() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        try (WorkerSupervisor second = withoutProbe(hive)) {
            String id = second.spawn(VirtualHive.SPEC).id();
            second.reportReady(id);
            hive.probe.hang(id);
            SlotLease lease = hive.lease(id);
            processes.exitUnnoticed(id, 1);
            lease.fail(reset);
            hive.advance(Duration.ZERO);

            assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
            assertThat(second.recentExits()).hasSize(1);
        }
    }

    @Test
    void allLeasesThatFailTogetherAreLost() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        WorkerInfo worker = hive.supervisor.spawn(WorkerSpec.builder()
                .modelRef("tiny")
                .command("serve")
                .url("http://fake")
                .slots(100)
                .build());
        hive.supervisor.reportReady(worker.id());
        List<SlotLease> leases = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            leases.add(hive.lease(worker.id()));
        }
        int probes = hive.probe.probes(worker.id());
        hive.processes.exitUnnoticed(worker.id(), 1);
        leases.forEach(lease -> lease.fail(reset));

        hive.advance(Duration.ZERO);

        assertThat(leases).allMatch(lease -> lease.lostWithin(Duration.ZERO));
        assertThat(hive.probe.probes(worker.id())).isEqualTo(probes);
        assertThat(hive.supervisor.recentExits()).hasSize(1);
    }

    @Test
    void aStoppingWorkerIsCheckedWithoutAProbe() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);
        SlotLease other = hive.lease(id);
        int probes = hive.probe.probes(id);
        hive.supervisor.stop(id);

        lease.fail(reset);
        hive.advance(Duration.ofMillis(300));

        assertThat(hive.probe.probes(id)).isEqualTo(probes);
        assertThat(end(lease)).isCompletedWithValue(new Released());
        other.close();
        hive.advance(Duration.ofMillis(200));
        assertThat(hive.isRemoved(id)).isTrue();
    }

    /** Its next generation is another process. */
    @Test
    void aRestartEndsTheCheck() {
        String id = hive.spawnReady();
        hive.probe.hang(id);
        SlotLease lease = hive.lease(id);
        lease.fail(reset);
        hive.supervisor.restart(id);
        hive.advance(Duration.ofMillis(200));
        hive.supervisor.reportReady(id);

        assertThat(end(lease).getNow(new Released())).isInstanceOf(Lost.class);
        assertThat(hive.canLease(id)).isTrue();
    }

    @Test
    void aClosedSupervisorChecksNothingAndBlocksNoLease() {
        hive.register("own", new Idle());
        hive.register("later", new Idle());
        hive.probe.hang("own");
        hive.lease("own").fail(reset);
        assertThat(hive.canLease("own")).isFalse();

        hive.supervisor.closeNow();

        assertThat(hive.canLease("own")).isTrue();
        hive.lease("later").fail(reset);
        assertThat(hive.canLease("later")).isTrue();
    }

    /** Regression: a waiter acquired the slot of the exited worker. */
    @Test
    void aWaiterDoesNotAcquireASlotOfAnExitedWorker() throws Exception {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String dies = hive.spawnReady();
        String lives = hive.spawnReady();
        SlotLease lost = hive.lease(dies);
        hive.lease(dies);
        SlotLease busy = hive.lease(lives);
        hive.lease(lives);
        CompletableFuture<SlotLease> waiting = new CompletableFuture<>();
        Thread waiter = new Thread(() -> {
            try {
                waiting.complete(hive.registry.acquire("tiny", Duration.ofSeconds(30)));
            } catch (Throwable t) {
                waiting.completeExceptionally(t);
            }
        });
        waiter.start();
        await().until(() -> waiter.getState() == Thread.State.TIMED_WAITING);
        hive.processes.exitUnnoticed(dies, 137);

        lost.fail(reset);
        hive.advance(Duration.ZERO);
        busy.close();

        assertThat(waiting.join().workerId()).isEqualTo(lives);
        waiter.join();
    }

    private static ScheduledHive probedHive() {
        return new ScheduledHive(builder -> builder.healthProbe(
                        (worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.healthy()))
                .lifecycle(LifecycleConfig.builder()
                        .healthTimeout(Duration.ofMillis(50))
                        .build()));
    }

    @Test
    void theCheckEndsThoughTheSchedulerIsBlocked() throws Exception {
        try (ScheduledHive hive = probedHive()) {
            String id = hive.spawnReady();
            hive.blockScheduler();

            SlotLease lease = hive.registry.tryAcquireFrom(id).orElseThrow();
            lease.fail(reset);

            assertThat(hive.registry.tryAcquireFrom(id)).isEmpty();
            await().until(() -> hive.registry.tryAcquireFrom(id).isPresent());
            assertThat(lease.lostWithin(Duration.ofSeconds(30))).isFalse();
        }
    }

    @Test
    void theCheckEndsThoughTheSchedulerIsShutDown() {
        try (ScheduledHive hive = probedHive()) {
            String id = hive.spawnReady();
            hive.scheduler.shutdownNow();

            SlotLease lease = hive.registry.tryAcquireFrom(id).orElseThrow();
            lease.fail(reset);

            await().until(() -> hive.registry.tryAcquireFrom(id).isPresent());
        }
    }
}
