package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A shutdown or close of the supervisor: the report, the deadline, and what is left afterwards. */
@ExtendWith(UnexpectedWarnings.class)
class ShutdownTest {

    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final VirtualHive hive = new VirtualHive();

    @Test
    void allWorkersStopInParallelAndTheReportAddsUp() {
        UnexpectedWarnings.expect(Warnings.UNKILLABLE);
        hive.spawnReady();
        String busy = hive.spawnReady();
        String ignoresTerm = hive.spawnReady();
        String stuck = hive.spawnReady();
        SlotLease lease = hive.lease(busy);
        hive.processes.ignoreTerminate(ignoresTerm);
        hive.processes.ignoreKill(stuck);

        CompletableFuture<ShutdownReport> report = hive.shutdown(DEADLINE);
        assertThat(hive.processes.running()).containsExactly(busy, ignoresTerm, stuck);
        hive.advance(Duration.ofMillis(9_900));
        assertThat(hive.processes.running()).containsExactly(busy, ignoresTerm, stuck);
        hive.advance(Duration.ofMillis(200));
        assertThat(hive.processes.running())
                .as("drained, and the grace has passed")
                .containsExactly(stuck);
        hive.advanceSeconds(6);

        assertThat(report).isCompletedWithValue(new ShutdownReport(4, 0, 2, 1, 1));
        assertThat(lease.isValid()).isFalse();
    }

    @Test
    void workersWithoutLeasesInTimeHaveDrained() {
        String busy = hive.spawnReady();
        String busyIgnoresTerm = hive.spawnReady();
        hive.spawnReady();
        hive.processes.ignoreTerminate(busyIgnoresTerm);
        SlotLease first = hive.lease(busy);
        SlotLease second = hive.lease(busyIgnoresTerm);

        CompletableFuture<ShutdownReport> report = hive.shutdown(DEADLINE);
        hive.advanceSeconds(1);
        first.close();
        second.close();
        hive.advanceSeconds(20);

        assertThat(report).isCompletedWithValue(new ShutdownReport(3, 1, 1, 1, 0));
    }

    @Test
    void aReportThatDoesNotAddUpIsRefused() {
        assertThatThrownBy(() -> new ShutdownReport(3, 1, 1, 0, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 workers");
        assertThatThrownBy(() -> new ShutdownReport(0, 1, -1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aShutdownWithoutWorkersCompletesAtOnce() {
        assertThat(hive.shutdown(DEADLINE)).isCompletedWithValue(new ShutdownReport(0, 0, 0, 0, 0));
    }

    @Test
    void aShutdownLeavesNoTaskInTheScheduler() {
        hive.spawnReady();

        hive.supervisor.shutdown(DEADLINE);
        hive.time.runDueTasks();

        assertThat(hive.time.pendingTasks()).isZero();
        assertThat(hive.time.isShutdown()).as("the hive's executor still runs").isFalse();
    }

    /** Regression: a slow listener or stop request delayed the stops of the other workers. */
    @Test
    void allStopsBeginBeforeAListenerIsCalled() {
        hive.spawnReady();
        hive.spawnReady();
        List<List<WorkerState>> seen = new ArrayList<>();
        hive.onNext(WorkerEvent.StopStarted.class, event -> seen.add(states(hive)));

        hive.shutdown(DEADLINE);

        assertThat(seen).containsExactly(List.of());
        assertThat(hive.heard.events())
                .filteredOn(WorkerEvent.StopStarted.class::isInstance)
                .hasSize(2);
    }

    /** Regression: as above. */
    @Test
    void allStopsBeginBeforeAStopRequestIsSent() {
        List<List<WorkerState>> seen = new ArrayList<>();
        VirtualHive hive = new VirtualHive((self, builder) -> builder.stopRequest(worker -> {
            seen.add(states(self));
            return CompletableFuture.completedFuture(true);
        }));
        hive.spawnReady();
        hive.spawnReady();

        hive.shutdown(DEADLINE);

        WorkerState stopping = new Stopping(StopReason.SHUTDOWN);
        assertThat(seen).containsExactly(List.of(stopping, stopping), List.of(stopping, stopping));
    }

    /** Regression: it stopped only the first worker, and killed none. */
    @Test
    void closeKillsInTimeWhileAListenerBlocksIt() throws InterruptedException {
        String first = hive.spawnReady();
        String second = hive.spawnReady();
        hive.processes.ignoreTerminate(first);
        hive.processes.ignoreTerminate(second);
        CountDownLatch called = new CountDownLatch(1);
        CompletableFuture<?> mayReturn = new CompletableFuture<>();
        hive.onNext(WorkerEvent.StopStarted.class, event -> {
            called.countDown();
            mayReturn.join();
        });
        Thread closing = new Thread(hive.supervisor::close);
        closing.start();
        called.await();

        hive.advanceSeconds(11); // more than the grace period

        assertThat(hive.processes.running()).isEmpty();
        mayReturn.complete(null);
        closing.join();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.heard.historyOf(first)).endsWith("StopStarted", "Removed");
        assertThat(hive.heard.historyOf(second)).endsWith("StopStarted", "Removed");
    }

    private static List<WorkerState> states(VirtualHive hive) {
        return hive.registry.list().stream().map(WorkerInfo::state).toList();
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
    void aSpawnInProgressIsStopped() {
        AtomicReference<CompletableFuture<ShutdownReport>> report = new AtomicReference<>();
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
            report.set(self.shutdown(DEADLINE));
            return self.processes.start(spec);
        }));

        hive.supervisor.spawn(VirtualHive.SPEC);

        assertThat(hive.processes.running()).isEmpty();
        assertThat(report.get()).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0));
    }

    @Test
    void aSecondShutdownGivesTheSameReportAndCanShortenTheDeadline() {
        String ignoresTerm = hive.spawnReady();
        hive.processes.ignoreTerminate(ignoresTerm);
        CompletableFuture<ShutdownReport> first = hive.shutdown(DEADLINE);

        CompletableFuture<ShutdownReport> second = hive.shutdown(Duration.ofSeconds(1));
        hive.advance(Duration.ofSeconds(1));

        assertThat(hive.exitOf(ignoresTerm)).hasValue(ExitStatus.requested(137));
        assertThat(first).isCompletedWithValue(new ShutdownReport(1, 0, 0, 1, 0));
        assertThat(second).isCompletedWithValue(first.join());
    }

    @Test
    void aDeadlineShorterThanTheGraceIsKept() {
        String ignoresTerm = hive.spawnReady();
        hive.processes.ignoreTerminate(ignoresTerm);

        hive.supervisor.shutdown(Duration.ofSeconds(2));
        hive.advance(Duration.ofMillis(1_900));
        assertThat(hive.processes.running()).containsExactly(ignoresTerm);
        hive.advance(Duration.ofMillis(100));

        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void closeKillsWorkersAndLeavesNoTaskInTheScheduler() {
        String ignoresTerm = hive.spawnReady();
        hive.processes.ignoreTerminate(ignoresTerm);

        hive.supervisor.closeNow();
        hive.supervisor.closeNow();
        hive.time.runDueTasks();

        assertThat(hive.processes.running()).isEmpty();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.time.pendingTasks()).isZero();
        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC)).isInstanceOf(IllegalStateException.class);
    }

    /** Regression: it waited for a whole tick, a minute here. */
    @Test
    void closeWaitsNoLongerThanItPromisesIfTicksAreRare() {
        VirtualHive hive = VirtualHive.with(config -> config.tickInterval(Duration.ofMinutes(1))
                .stopGrace(Duration.ofMillis(50))
                .killTimeout(Duration.ofMillis(50)));
        String ignoresTerm = hive.spawnReady();
        hive.processes.ignoreTerminate(ignoresTerm);
        long begun = System.nanoTime();

        hive.supervisor.close();

        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(20));
        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void aDeadlineOutOfRangeIsRefused() {
        assertThatThrownBy(() -> hive.supervisor.shutdown(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("deadline");
    }

    /** A hive with an executor that never runs its tasks; lists the workers whose processes have been released. */
    private static VirtualHive hiveThatReleasesLate(Executor executor, List<String> released) {
        return new VirtualHive((self, builder) -> builder.blockingExecutor(executor)
                .processController(spec -> new ForwardingProcess(self.processes.start(spec)) {
                    @Override
                    public void release() {
                        released.add(spec.workerId());
                    }
                }));
    }

    /** Regression: the hive's executor was shut down with releases in its queue, and output files were left. */
    @Test
    void droppedReleasesAreDoneByTheShutdown() {
        List<Runnable> held = new ArrayList<>();
        List<String> released = new ArrayList<>();
        VirtualHive hive = hiveThatReleasesLate(held::add, released);
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
    void droppedReleasesAreDoneByClose() {
        List<String> released = new ArrayList<>();
        VirtualHive hive = hiveThatReleasesLate(dropped -> {}, released);
        String id = hive.spawnReady();

        hive.supervisor.closeNow();

        assertThat(released).containsExactly(id);
    }
}
