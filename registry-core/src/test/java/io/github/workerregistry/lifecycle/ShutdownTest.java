package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ForwardingProcess;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class ShutdownTest {

    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final VirtualHive hive = new VirtualHive();

    @Test
    void allWorkersEndSideBySideAndTheReportAddsUp() {
        UnexpectedWarnings.expect("is still there after SIGKILL");
        hive.spawnReady();
        String busy = hive.spawnReady();
        String deaf = hive.spawnReady();
        String stuck = hive.spawnReady();
        SlotLease lease = hive.lease(busy);
        hive.processes.ignoreTerminate(deaf);
        hive.processes.ignoreKill(stuck);

        CompletableFuture<ShutdownReport> report =
                hive.supervisor.shutdown(DEADLINE).toCompletableFuture();
        assertThat(hive.processes.running()).containsExactly(busy, deaf, stuck);
        hive.advance(Duration.ofMillis(9_900));
        assertThat(hive.processes.running()).containsExactly(busy, deaf, stuck);
        hive.advance(Duration.ofMillis(200));
        assertThat(hive.processes.running()).as("drained, and grace over").containsExactly(stuck);
        hive.advanceSeconds(6);

        assertThat(report).isCompletedWithValue(new ShutdownReport(4, 0, 2, 1, 1));
        assertThat(lease.isValid()).isFalse();
    }

    @Test
    void whoeverFinishesItsWorkInTimeHasDrained() {
        String busy = hive.spawnReady();
        String busyAndDeaf = hive.spawnReady();
        hive.spawnReady();
        hive.processes.ignoreTerminate(busyAndDeaf);
        SlotLease first = hive.lease(busy);
        SlotLease second = hive.lease(busyAndDeaf);

        CompletableFuture<ShutdownReport> report =
                hive.supervisor.shutdown(DEADLINE).toCompletableFuture();
        hive.advanceSeconds(1);
        first.close();
        second.close();
        hive.advanceSeconds(20);

        assertThat(report).isCompletedWithValue(new ShutdownReport(3, 1, 1, 1, 0));
    }

    @Test
    void aReportThatDoesNotAddUpCannotBeMade() {
        assertThatThrownBy(() -> new ShutdownReport(3, 1, 1, 0, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 workers");
        assertThatThrownBy(() -> new ShutdownReport(0, 1, -1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aShutdownWithoutWorkersIsOverAtOnce() {
        assertThat(hive.supervisor.shutdown(DEADLINE).toCompletableFuture())
                .isCompletedWithValue(new ShutdownReport(0, 0, 0, 0, 0));
    }

    @Test
    void afterAShutdownNothingOfTheSupervisorIsLeftInTheScheduler() {
        hive.spawnReady();

        hive.supervisor.shutdown(DEADLINE);
        hive.time.runDueTasks();

        assertThat(hive.time.pendingTasks()).isZero();
        assertThat(hive.time.isShutdown()).as("the host's executor still runs").isFalse();
    }

    @Test
    void noWorkerIsSpawnedOnceAShutdownHasBegun() {
        hive.supervisor.shutdown(DEADLINE);

        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("shutting down");
        assertThat(hive.processes.starts()).isZero();
    }

    @Test
    void aSpawnInFlightIsEndedToo() {
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        AtomicReference<CompletableFuture<ShutdownReport>> report = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.processes(spec -> {
            report.set(self.get().supervisor.shutdown(DEADLINE).toCompletableFuture());
            return self.get().processes.start(spec);
        }));
        self.set(hive);

        hive.supervisor.spawn(VirtualHive.SPEC);

        assertThat(hive.processes.running()).isEmpty();
        assertThat(report.get()).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0));
    }

    @Test
    void aSecondShutdownGivesTheSameReportAndCanHurry() {
        String deaf = hive.spawnReady();
        hive.processes.ignoreTerminate(deaf);
        CompletableFuture<ShutdownReport> first =
                hive.supervisor.shutdown(DEADLINE).toCompletableFuture();

        CompletableFuture<ShutdownReport> second =
                hive.supervisor.shutdown(Duration.ofSeconds(1)).toCompletableFuture();
        hive.advance(Duration.ofSeconds(1));

        assertThat(hive.exitOf(deaf)).hasValue(ExitStatus.requested(137));
        assertThat(first).isCompletedWithValue(new ShutdownReport(1, 0, 0, 1, 0));
        assertThat(second).isCompletedWithValue(first.join());
    }

    @Test
    void theDeadlineHoldsAlsoIfItIsShorterThanTheGrace() {
        String deaf = hive.spawnReady();
        hive.processes.ignoreTerminate(deaf);

        hive.supervisor.shutdown(Duration.ofSeconds(2));
        hive.advance(Duration.ofMillis(1_900));
        assertThat(hive.processes.running()).containsExactly(deaf);
        hive.advance(Duration.ofMillis(100));

        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void closeKillsWhatRunsAndLeavesNothingInTheScheduler() {
        String deaf = hive.spawnReady();
        hive.processes.ignoreTerminate(deaf);

        hive.supervisor.close();
        hive.supervisor.close();
        hive.time.runDueTasks();

        assertThat(hive.processes.running()).isEmpty();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.time.pendingTasks()).isZero();
        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aThousandSupervisorsOnOneSchedulerLeaveNothingInItsQueue() {
        ScheduledThreadPoolExecutor shared = new ScheduledThreadPoolExecutor(1);
        try {
            for (int i = 0; i < 1000; i++) {
                WorkerSupervisor.builder(WorkerRegistry.create(), shared)
                        .processes(new FakeProcessController())
                        .build()
                        .close();
            }
            assertThat(shared.getQueue()).isEmpty();
        } finally {
            shared.shutdownNow();
        }
    }

    @Test
    void aClosedSupervisorIsNotHeldByTheScheduler() {
        ScheduledThreadPoolExecutor shared = new ScheduledThreadPoolExecutor(1);
        try {
            WeakReference<WorkerRegistry> registry = new WeakReference<>(closedSupervisorsRegistry(shared));
            await().until(() -> {
                System.gc();
                return registry.get() == null;
            });
        } finally {
            shared.shutdownNow();
        }
    }

    private static WorkerRegistry closedSupervisorsRegistry(ScheduledExecutorService scheduler) {
        WorkerRegistry registry = WorkerRegistry.create();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processes(new FakeProcessController())
                .shutdownHook(DEADLINE)
                .build();
        supervisor.spawn(VirtualHive.SPEC);
        supervisor.shutdown(DEADLINE).toCompletableFuture().join();
        supervisor.close();
        return registry;
    }

    @Test
    void aShutdownGoesOnThoughTheSchedulerHasBeenShutDown() {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
        FakeProcessController processes = new FakeProcessController();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(WorkerRegistry.create(), scheduler)
                .processes(processes)
                .build();
        String deaf = supervisor.spawn(VirtualHive.SPEC).id();
        processes.ignoreTerminate(deaf);

        scheduler.shutdownNow();

        assertThat(supervisor.shutdown(Duration.ofMillis(300)).toCompletableFuture())
                .succeedsWithin(DEADLINE)
                .isEqualTo(new ShutdownReport(1, 0, 0, 1, 0));
    }

    /** It was accepted, and then no loop ever looked at it. */
    @Test
    void noWorkerIsSpawnedOnceTheSchedulerHasBeenShutDown() {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
        FakeProcessController processes = new FakeProcessController();
        WorkerRegistry registry = WorkerRegistry.create();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processes(processes)
                .build();
        scheduler.shutdown();

        assertThatThrownBy(() -> supervisor.spawn(VirtualHive.SPEC))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("scheduler");
        assertThat(processes.starts()).isZero();
        assertThat(registry.list()).isEmpty();
        supervisor.close();
    }

    @Test
    void aStopComesToItsEndThoughTheSchedulerIsBlocked() throws InterruptedException {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
        FakeProcessController processes = new FakeProcessController();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(WorkerRegistry.create(), scheduler)
                .processes(processes)
                .config(LifecycleConfig.builder()
                        .stopGrace(Duration.ofMillis(100))
                        .build())
                .build();
        String deaf = supervisor.spawn(VirtualHive.SPEC).id();
        processes.ignoreTerminate(deaf);
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch blocked = new CountDownLatch(1);
        scheduler.execute(() -> {
            blocked.countDown();
            awaitUninterrupted(release);
        });
        try {
            blocked.await();

            assertThat(supervisor.stop(deaf).toCompletableFuture())
                    .succeedsWithin(DEADLINE)
                    .isEqualTo(ExitStatus.requested(137));
        } finally {
            release.countDown();
            supervisor.close();
            scheduler.shutdownNow();
        }
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** As where the service manager signals all processes of a hive that it stops. */
    @ParameterizedTest
    @ValueSource(ints = {130, 143})
    void aWorkerThatIsSignalledWithTheHiveHasNotCrashed(int code) {
        String busy = hive.spawnReady();
        SlotLease lease = hive.lease(busy);
        hive.supervisor.shutdown(DEADLINE);

        hive.processes.exit(busy, code);

        assertThat(lease.isValid()).isFalse();
        assertThat(hive.supervisor.recentExits()).singleElement().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.SHUTDOWN);
            assertThat(exit.status()).isEqualTo(ExitStatus.unrequested(code));
        });
    }

    /** With the hook, such an exit waits for the shutdown that may be about to begin. */
    @Test
    void aWorkerThatIsSignalledAMomentBeforeTheHiveHasNotCrashed() {
        VirtualHive hive = new VirtualHive(builder -> builder.shutdownHook(DEADLINE));
        String id = hive.spawnReady();

        hive.processes.exit(id, 143);
        hive.advance(Duration.ofMillis(100));
        assertThat(hive.supervisor.recentExits()).isEmpty();
        CompletableFuture<ShutdownReport> report =
                hive.supervisor.shutdown(DEADLINE).toCompletableFuture();
        hive.advance(Duration.ofMillis(100));

        assertThat(report).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0));
        assertThat(hive.supervisor.recentExits()).extracting(Exit::cause).containsExactly(Exit.Cause.SHUTDOWN);
    }

    /** Regression: its slots were leased until the exit was told, 200 ms later. */
    @Test
    void noSlotOfAWorkerWhoseExitWaitsForAShutdownIsLeased() {
        UnexpectedWarnings.expect("is gone: CRASHED, signal 15");
        VirtualHive hive = new VirtualHive(builder -> builder.shutdownHook(DEADLINE));
        String id = hive.spawnReady();

        hive.processes.exit(id, 143);

        assertThat(hive.registry.tryAcquire("tiny")).isEmpty();
        assertThat(hive.registry.tryAcquireFrom(id)).isEmpty();
        hive.advance(Duration.ofMillis(300));
        assertThat(hive.isGone(id)).isTrue();
        hive.supervisor.close();
    }

    @Test
    void aWorkerThatIsSignalledAloneHasCrashedAfterAll() {
        UnexpectedWarnings.expect("is gone: CRASHED, signal 15");
        VirtualHive hive = new VirtualHive(builder -> builder.shutdownHook(DEADLINE));
        String id = hive.spawnReady();

        hive.processes.exit(id, 143);
        hive.advance(Duration.ofMillis(300));

        assertThat(hive.isGone(id)).isTrue();
        hive.supervisor.close();
    }

    @Test
    void oneThatDiesOfAnotherSignalHas() {
        UnexpectedWarnings.expect("is gone: CRASHED, signal 11");
        String busy = hive.spawnReady();
        hive.lease(busy);
        hive.supervisor.shutdown(DEADLINE);

        hive.processes.exit(busy, 139);

        assertThat(hive.supervisor.recentExits()).extracting(Exit::cause).containsExactly(Exit.Cause.CRASHED);
    }

    /** Handed to the hive's executor, which was shut down with them in its queue: output files stayed. */
    @Test
    void releasesThatTheExecutorDropsAreDoneByTheEndOfTheShutdown() {
        List<Runnable> held = new ArrayList<>();
        List<String> released = new ArrayList<>();
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.blocking(held::add)
                .processes(spec -> new ForwardingProcess(self.get().processes.start(spec)) {
                    @Override
                    public void release() {
                        released.add(spec.workerId());
                    }
                }));
        self.set(hive);
        String first = hive.spawnReady();
        String second = hive.spawnReady();
        hive.supervisor.stop(first);
        assertThat(released).isEmpty();

        hive.supervisor.shutdown(DEADLINE);

        assertThat(released).containsExactlyInAnyOrder(first, second);
        held.forEach(Runnable::run);
        assertThat(released).as("once each").hasSize(2);
    }

    @Test
    void closeDoesThemToo() {
        List<String> released = new ArrayList<>();
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.blocking(dropped -> {})
                .processes(spec -> new ForwardingProcess(self.get().processes.start(spec)) {
                    @Override
                    public void release() {
                        released.add(spec.workerId());
                    }
                }));
        self.set(hive);
        String id = hive.spawnReady();

        hive.supervisor.close();

        assertThat(released).containsExactly(id);
    }

    @Test
    void aDeadlineOutOfRangeIsRefused() {
        assertThatThrownBy(() -> hive.supervisor.shutdown(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("deadline");
    }
}
