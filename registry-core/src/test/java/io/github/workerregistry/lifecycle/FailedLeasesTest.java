package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.LeaseEnd;
import io.github.workerregistry.LeaseEnd.Lost;
import io.github.workerregistry.LeaseEnd.Released;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ForwardingProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the supervisor does about a worker of which a lease has failed. */
@ExtendWith(UnexpectedWarnings.class)
class FailedLeasesTest {

    private final IOException reset = new IOException("connection reset");

    private final VirtualHive hive = new VirtualHive();

    private boolean canLease(String id) {
        Optional<SlotLease> lease = hive.registry.tryAcquireFrom(id);
        lease.ifPresent(SlotLease::close);
        return lease.isPresent();
    }

    private static CompletableFuture<LeaseEnd> end(SlotLease lease) {
        return lease.whenEnded().toCompletableFuture();
    }

    /** A probe whose answers the test gives, and which notes if two of one worker run at a time. */
    private static final class Probes implements HealthProbe {
        final List<CompletableFuture<HealthStatus>> asked = new ArrayList<>();
        boolean overlap;

        @Override
        public CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
            overlap |= asked.stream().anyMatch(answer -> !answer.isDone());
            CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
            asked.add(answer);
            return answer;
        }

        CompletableFuture<HealthStatus> last() {
            return asked.get(asked.size() - 1);
        }
    }

    private static VirtualHive hiveWith(HealthProbe probe) {
        return new VirtualHive(builder -> builder.health(probe));
    }

    /** The exit is known 2 to 26 ms after the connection breaks; until then the corpse was leased again. */
    @Test
    void anExitThatNobodyHasToldOfIsFoundAtOnce() {
        UnexpectedWarnings.expect("is gone: CRASHED, signal 9");
        VirtualHive restarting = VirtualHive.restarting();
        String id = restarting.spawnReady();
        String other = restarting.spawnReady();
        SlotLease lease = restarting.lease(id);
        restarting.processes.exitUnnoticed(id, 137);
        assertThat(lease.isValid()).as("nobody knows it yet").isTrue();

        lease.fail(reset);

        assertThat(lease.lostWithin(Duration.ZERO)).as("nor now").isFalse();
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
                                assertThat(end(lease)).isCompletedWithValue(new Lost(Optional.of(backingOff.cause()))));
    }

    @Test
    void aWorkerThatLivesIsLeasedAgainAsSoonAsItAnswers() {
        String id = hive.spawnReady();
        int probes = hive.probe.probes(id);
        SlotLease lease = hive.lease(id);
        lease.fail(reset);
        assertThat(canLease(id)).isFalse();

        hive.advance(Duration.ZERO);

        assertThat(canLease(id)).isTrue();
        assertThat(hive.probe.probes(id)).isEqualTo(probes + 1);
        assertThat(end(lease)).isCompletedWithValue(new Released());
        assertThat(lease.lostWithin(Duration.ofHours(1))).isFalse();
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "BecameReady");
    }

    @Test
    void aWorkerThatDoesNotAnswerIsLeasedAgainAfterTheHealthTimeout() {
        String id = hive.spawnReady();
        hive.probe.hang(id);
        SlotLease lease = hive.lease(id);
        lease.fail(reset);

        hive.advance(Duration.ofMillis(4_999));
        assertThat(canLease(id)).isFalse();
        assertThat(end(lease)).isNotDone();
        hive.advance(Duration.ofMillis(101));

        assertThat(canLease(id)).isTrue();
        assertThat(end(lease)).isCompletedWithValue(new Released());
        assertThat(hive.worker(id).failedHealthChecks())
                .as("it is no health check")
                .isZero();
    }

    /** A corpse refuses connections at once; so does a server that is just opening its port again. */
    @Test
    void aWorkerThatRefusesIsAskedAgain() {
        String id = hive.spawnReady();
        hive.probe.answer(id, HealthStatus.unhealthy("connection refused"));
        int probes = hive.probe.probes(id);
        hive.lease(id).fail(reset);
        hive.advance(Duration.ofMillis(1_050));
        assertThat(canLease(id)).isFalse();
        assertThat(hive.probe.probes(id) - probes).isBetween(9, 12);
        assertThat(hive.worker(id).failedHealthChecks()).isZero();

        hive.probe.answer(id, HealthStatus.healthy());
        hive.advance(Duration.ofMillis(100));

        assertThat(canLease(id)).isTrue();
    }

    @Test
    void anExitThatIsKnownLaterEndsTheLeaseAsLost() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        hive.probe.answer(id, HealthStatus.unhealthy("connection refused"));
        SlotLease lease = hive.lease(id);
        lease.fail(reset);
        hive.advance(Duration.ofMillis(20));

        hive.processes.exit(id, 137);

        assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
        assertThat(hive.supervisor.recentExits()).extracting(Exit::cause).containsExactly(Exit.Cause.CRASHED);
    }

    /** A probe that began before may have been answered just before the worker died. */
    @Test
    void aProbeThatBeganBeforeSaysNothing() {
        Probes probes = new Probes();
        VirtualHive hive = hiveWith(probes);
        String id = hive.spawnReady();
        SlotLease first = hive.lease(id);
        SlotLease second = hive.lease(id);
        while (probes.asked.isEmpty()) { // until a health check is under way
            hive.advance(Duration.ofMillis(100));
        }
        first.fail(reset);
        hive.advance(Duration.ZERO);
        assertThat(probes.asked).as("one at a time").hasSize(1);

        probes.last().complete(HealthStatus.healthy());
        assertThat(hive.registry.tryAcquireFrom(id)).isEmpty();
        hive.advance(Duration.ZERO);
        assertThat(probes.asked).hasSize(2);
        second.fail(reset);
        probes.last().complete(HealthStatus.healthy());
        assertThat(hive.registry.tryAcquireFrom(id))
                .as("the second failed since")
                .isEmpty();
        hive.advance(Duration.ZERO);
        assertThat(probes.asked).hasSize(3);
        probes.last().complete(HealthStatus.healthy());

        assertThat(hive.registry.tryAcquireFrom(id)).isPresent();
        assertThat(probes.overlap).isFalse();
    }

    /** The check of a worker that hangs must not keep the health checks from finding it. */
    @Test
    void aCheckThatHangsDoesNotKeepHealthChecksFromCounting() {
        UnexpectedWarnings.expect("is given up after 3 failed health checks");
        Probes probes = new Probes();
        VirtualHive hive = hiveWith(probes);
        String id = hive.spawnReady();
        hive.lease(id).fail(reset);

        hive.advanceSeconds(120);

        assertThat(hive.isGone(id)).isTrue();
        assertThat(probes.overlap).isFalse();
    }

    /** It had failed for want of an answer within 5 s, though it was asked 4 s before. */
    @Test
    void aHealthCheckThatWaitsForTheProbeOfACheckHasItsWholeTime() {
        Probes probes = new Probes();
        VirtualHive hive = new VirtualHive(builder -> builder.health(probes)
                .config(VirtualHive.config()
                        .healthInterval(Duration.ofSeconds(5))
                        .healthTimeout(Duration.ofSeconds(5))
                        .build()));
        String id = hive.spawnReady();
        while (probes.asked.isEmpty()) {
            hive.advance(Duration.ofMillis(100));
        }
        probes.last().complete(HealthStatus.healthy());
        hive.advanceSeconds(1);
        hive.lease(id).fail(reset);
        hive.advance(Duration.ofMillis(4_900)); // the next health check is due after 3.5 to 4.5 s
        assertThat(probes.asked).as("one at a time").hasSize(2);
        hive.advance(Duration.ofMillis(200)); // the check is over
        assertThat(probes.asked).hasSize(3);

        hive.advance(Duration.ofMillis(4_700));
        assertThat(hive.worker(id).failedHealthChecks()).isZero();
        hive.advance(Duration.ofMillis(400));
        assertThat(hive.worker(id).failedHealthChecks()).as("its time is over").isEqualTo(1);
    }

    @Test
    void withoutAProbeAWorkerPassesIfItsProcessStillRunsAMomentLater() {
        VirtualHive hive = new VirtualHive();
        try (WorkerSupervisor plain = withoutProbe(hive)) {
            String id = plain.spawn(VirtualHive.SPEC).id();
            plain.ready(id);
            SlotLease lease = hive.lease(id);
            lease.fail(reset);
            hive.advance(Duration.ofMillis(99));
            assertThat(canLeaseOf(hive, id)).isFalse();
            hive.advance(Duration.ofMillis(101));
            assertThat(canLeaseOf(hive, id)).isTrue();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }
    }

    @Test
    void withoutAProbeAnExitWithinThatMomentIsFoundToo() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        VirtualHive hive = new VirtualHive();
        try (WorkerSupervisor plain = withoutProbe(hive)) {
            String id = plain.spawn(VirtualHive.SPEC).id();
            plain.ready(id);
            SlotLease lease = hive.lease(id);
            lease.fail(reset);
            hive.advance(Duration.ofMillis(50));
            processes.exitUnnoticed(id, 1);
            hive.advance(Duration.ofMillis(150));

            assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
        }
    }

    private final FakeProcessController processes = new FakeProcessController();

    private WorkerSupervisor withoutProbe(VirtualHive hive) {
        return WorkerSupervisor.builder(hive.registry, hive.time)
                .processes(processes)
                .restart(RestartPolicy.never())
                .build();
    }

    private static boolean canLeaseOf(VirtualHive hive, String id) {
        Optional<SlotLease> lease = hive.registry.tryAcquireFrom(id);
        lease.ifPresent(SlotLease::close);
        return lease.isPresent();
    }

    private void registerByHand(String id) {
        hive.registry.register(WorkerInfo.builder()
                .id(id)
                .url("http://fake")
                .modelRef("tiny")
                .state(new Idle())
                .startedAt(hive.time.instant())
                .build());
    }

    @Test
    void aWorkerThatTheHiveRegisteredItselfIsProbed() {
        registerByHand("own");
        hive.probe.hang("own");
        hive.lease("own").fail(reset);
        hive.advance(Duration.ofMillis(200));
        assertThat(canLease("own")).isFalse();

        hive.advanceSeconds(5);
        assertThat(canLease("own")).isTrue();
        hive.probe.answer("own", HealthStatus.healthy());
        hive.lease("own").fail(reset);
        hive.advance(Duration.ZERO);
        assertThat(canLease("own")).isTrue();
    }

    @Test
    void aWorkerThatTheHiveRegisteredItselfIsNotCheckedWhereThereIsNoProbe() {
        hive.supervisor.close();
        try (WorkerSupervisor plain = withoutProbe(hive)) {
            assertThat(plain.recentExits()).isEmpty();
            registerByHand("own");
            SlotLease lease = hive.lease("own");
            lease.fail(reset);

            assertThat(canLease("own")).isTrue();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }
    }

    /** The first one would have probed it, with a probe that is not for it. */
    @Test
    void ofSeveralSupervisorsTheOneWhoseWorkerItIsChecksIt() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        try (WorkerSupervisor second = withoutProbe(hive)) {
            String id = second.spawn(VirtualHive.SPEC).id();
            second.ready(id);
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
    void manyLeasesOfOneWorkerThatFailAtOnceAreAllLost() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        WorkerInfo worker = hive.supervisor.spawn(WorkerSpec.builder()
                .modelRef("tiny")
                .command("serve")
                .url("http://fake")
                .slots(100)
                .build());
        hive.supervisor.ready(worker.id());
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
    void aWorkerThatStopsIsLookedAtAndNotProbed() {
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
        assertThat(hive.isGone(id)).isTrue();
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
        hive.supervisor.ready(id);

        assertThat(end(lease).getNow(new Released())).isInstanceOf(Lost.class);
        assertThat(canLease(id)).isTrue();
    }

    @Test
    void aSupervisorThatIsClosedChecksNothingAndKeepsNobodyFromBeingLeased() {
        registerByHand("own");
        registerByHand("later");
        hive.probe.hang("own");
        hive.lease("own").fail(reset);
        assertThat(canLease("own")).isFalse();

        hive.supervisor.close();

        assertThat(canLease("own")).isTrue();
        hive.lease("later").fail(reset);
        assertThat(canLease("later")).isTrue();
    }

    /** Foreign code that fails is no sign of life, and no reason to wait for ever. */
    @Test
    void aProbeThatFailsEndsWithTheHealthTimeout() {
        List<HealthProbe> broken = List.of(
                (worker, timeout) -> {
                    throw new AssertionError("broken");
                },
                (worker, timeout) -> null,
                (worker, timeout) -> CompletableFuture.failedFuture(new IOException("broken")),
                (worker, timeout) -> CompletableFuture.completedFuture(null),
                (worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.unknown("broken")));
        for (HealthProbe probe : broken) {
            VirtualHive hive = hiveWith(probe);
            String id = hive.spawnReady();
            hive.lease(id).fail(reset);
            hive.advance(Duration.ofMillis(4_900));
            assertThat(hive.registry.tryAcquireFrom(id)).isEmpty();
            hive.advance(Duration.ofMillis(200));
            assertThat(hive.registry.tryAcquireFrom(id)).isPresent();
        }
    }

    @Test
    void aSchedulerThatIsBlockedKeepsNoWorkerFromBeingLeasedForLong() throws Exception {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
        WorkerRegistry registry = WorkerRegistry.create();
        CountDownLatch blocked = new CountDownLatch(1);
        try (WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processes(processes)
                .health((worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.healthy()))
                .config(LifecycleConfig.builder()
                        .healthTimeout(Duration.ofMillis(50))
                        .build())
                .build()) {
            String id = supervisor.spawn(VirtualHive.SPEC).id();
            supervisor.ready(id);
            scheduler.execute(() -> awaitUninterruptibly(blocked));
            SlotLease lease = registry.tryAcquireFrom(id).orElseThrow();
            lease.fail(reset);
            assertThat(registry.tryAcquireFrom(id)).isEmpty();

            await().atMost(Duration.ofSeconds(30))
                    .until(() -> registry.tryAcquireFrom(id).isPresent());
            assertThat(lease.lostWithin(Duration.ofSeconds(30))).isFalse();
        } finally {
            blocked.countDown();
            scheduler.shutdown();
        }
    }

    @Test
    void aSchedulerThatHasBeenShutDownKeepsNoWorkerFromBeingLeasedForLong() {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
        WorkerRegistry registry = WorkerRegistry.create();
        try (WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processes(processes)
                .health((worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.healthy()))
                .config(LifecycleConfig.builder()
                        .healthTimeout(Duration.ofMillis(50))
                        .build())
                .build()) {
            String id = supervisor.spawn(VirtualHive.SPEC).id();
            supervisor.ready(id);
            scheduler.shutdownNow();
            SlotLease lease = registry.tryAcquireFrom(id).orElseThrow();
            lease.fail(reset);

            await().atMost(Duration.ofSeconds(30))
                    .until(() -> registry.tryAcquireFrom(id).isPresent());
        }
    }

    /** The slot of the dead worker went to the one who waited; now the living one's does. */
    @Test
    void aCallerThatWaitsIsNotGivenTheSlotOfADeadWorker() throws Exception {
        UnexpectedWarnings.expect("is gone: CRASHED");
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

    private static void awaitUninterruptibly(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** A process that cannot be looked at is probed, and the one complaint is that of the loops. */
    @Test
    void aProcessThatCannotBeLookedAtIsProbed() {
        UnexpectedWarnings.expect("cannot tell whether its process lives");
        VirtualHive hive = new VirtualHive(
                builder -> builder.processes(spec -> new ForwardingProcess(new FakeProcessController().start(spec)) {
                    @Override
                    public Optional<ExitStatus> exitStatus() {
                        throw new IllegalStateException("broken");
                    }
                }));
        String id = hive.spawnReady();
        hive.lease(id).fail(reset);

        hive.advance(Duration.ZERO);

        assertThat(hive.registry.tryAcquireFrom(id)).isPresent();
    }
}
