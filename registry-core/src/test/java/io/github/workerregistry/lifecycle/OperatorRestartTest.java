package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.FailedStage.assertFailedWith;
import static io.github.workerregistry.lifecycle.OnePort.spawnReady;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** An operator's restart, also beside a stop, kill, shutdown, removal or exit before it is complete. */
@ExtendWith(UnexpectedWarnings.class)
class OperatorRestartTest {

    private static final Duration DEADLINE = Duration.ofSeconds(5);

    private final OnePort onePort = new OnePort();
    private final VirtualHive hive = onePort.hive();

    @Test
    void anOperatorsRestartIsImmediateAndNotCounted() {
        String id = spawnReady(hive);
        for (int i = 1; i <= 20; i++) {
            CompletableFuture<WorkerInfo> restarted = hive.restart(id);
            hive.advance(Duration.ofMillis(100));
            assertThat(restarted).isCompleted();
            assertThat(restarted.join().restarts()).isEqualTo(i);
            hive.supervisor.reportReady(id);
        }
        assertThat(hive.heard.historyOf(id)).doesNotContain("Crashed");
        assertThat(hive.supervisor.recentExits()).extracting(Exit::cause).containsOnly(Exit.Cause.RESTART);
    }

    @Test
    void aStopCancelsAnOperatorsRestartThatDrains() {
        String id = spawnReady(hive);
        SlotLease lease = hive.lease(id);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        hive.advanceSeconds(5);
        assertThat(lease.isValid()).isTrue();

        hive.supervisor.stop(id);
        lease.close();
        hive.advanceSeconds(5);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(restarted).isCompletedExceptionally();
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void anOperatorsRestartInBackoffDoesNotWait() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = spawnReady(hive);
        hive.processes.exit(id, 1);

        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        hive.time.runDueTasks();

        assertThat(restarted).isCompleted();
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
    }

    @Test
    void aStopBeforeTheNextTickCancelsAnOperatorsRestart() {
        String id = spawnReady(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        CompletableFuture<ExitStatus> stopped = hive.stop(id);
        hive.advanceSeconds(60);

        assertFailedWith(WorkerEndedException.class, restarted);
        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(0));
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aShutdownBeforeTheNextTickCancelsAnOperatorsRestart() {
        String id = spawnReady(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        CompletableFuture<ShutdownReport> report = hive.shutdown(DEADLINE);
        hive.advanceSeconds(60);

        assertFailedWith(WorkerEndedException.class, restarted);
        assertThat(report).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0));
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aCloseBeforeTheNextTickCancelsAnOperatorsRestart() {
        String id = spawnReady(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        hive.supervisor.closeNow();

        assertFailedWith(WorkerEndedException.class, restarted);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aRemovalBeforeTheNextTickCancelsAnOperatorsRestart() {
        String id = spawnReady(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        hive.registry.remove(id);
        hive.advanceSeconds(60);

        assertFailedWith(NoSuchWorkerException.class, restarted);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aStopAfterARemovalFailsAnOperatorsRestart() {
        String id = spawnReady(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        hive.registry.remove(id);

        CompletableFuture<ExitStatus> stopped = hive.stop(id);

        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(0));
        assertFailedWith(NoSuchWorkerException.class, restarted);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aRemovalDuringTheDrainOfAnOperatorsRestartEndsTheWorker() {
        String id = spawnReady(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        hive.registry.remove(id);
        hive.advanceSeconds(60);

        assertFailedWith(WorkerEndedException.class, restarted);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aForceKillDuringTheDrainOfAnOperatorsRestartEndsTheWorker() {
        String id = spawnReady(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        CompletableFuture<ExitStatus> killed = hive.forceKill(id);
        hive.advanceSeconds(60);

        assertThat(killed).isCompletedWithValue(ExitStatus.requested(137));
        assertFailedWith(WorkerEndedException.class, restarted);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aRestartOfAnUnkillableProcessFails() {
        UnexpectedWarnings.expect(Warnings.UNKILLABLE);
        String id = spawnReady(hive);
        hive.processes.ignoreTerminate(id);
        hive.processes.ignoreKill(id);

        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        hive.advanceSeconds(60);

        assertFailedWith(UnkillableException.class, restarted);
    }

    @Test
    void aWorkerThatExitsWhileItDrainsIsRestarted() {
        String id = spawnReady(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        hive.processes.exit(id, 0);
        hive.advanceSeconds(1);

        assertThat(restarted).isCompletedWithValueMatching(next -> next.restarts() == 1);
        assertThat(hive.processes.running()).containsExactly(id);
    }

    @Test
    void aWorkerThatCrashesWhileItDrainsIsRestartedUnderPolicyNever() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive never = onePort.hive(builder -> builder.restartPolicy(RestartPolicy.never()));
        String id = spawnReady(never);
        never.lease(id);
        CompletableFuture<WorkerInfo> restarted = never.restart(id);

        never.processes.exit(id, 1);
        never.advanceSeconds(1);

        assertThat(restarted).isCompletedWithValueMatching(next -> next.restarts() == 1);
        assertThat(never.processes.running()).containsExactly(id);
    }

    @Test
    void aWorkerThatCrashesOnStopStartedIsRestarted() {
        String id = spawnReady(hive);
        hive.onNext(WorkerEvent.StopStarted.class, stopping -> hive.processes.exit(id, 1));

        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        hive.advanceSeconds(1);

        assertThat(restarted).isCompletedWithValueMatching(next -> next.restarts() == 1);
        assertThat(hive.processes.running()).containsExactly(id);
    }
}
