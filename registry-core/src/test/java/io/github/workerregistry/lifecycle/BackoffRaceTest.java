package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.FailedStage.assertFailedWith;
import static io.github.workerregistry.lifecycle.OnePort.spawnCrashed;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A restart in backoff, and a stop, kill, shutdown or removal before or during its start. In virtual time. */
@ExtendWith(UnexpectedWarnings.class)
class BackoffRaceTest {

    private static final Duration DEADLINE = Duration.ofSeconds(5);

    private final OnePort onePort = new OnePort();
    private final VirtualHive hive = onePort.hive();

    @Test
    void aStopBeforeTheStartOfARestartCancelsTheStart() {
        String id = spawnCrashed(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        CompletableFuture<ExitStatus> stopped = hive.stop(id);
        hive.advanceSeconds(60);

        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(127));
        assertFailedWith(WorkerEndedException.class, restarted);
        assertThat(hive.processes.starts()).isEqualTo(1);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aForceKillBeforeTheStartOfARestartCancelsTheStart() {
        String id = spawnCrashed(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        CompletableFuture<ExitStatus> killed = hive.forceKill(id);
        hive.advanceSeconds(60);

        assertThat(killed).isCompletedWithValue(ExitStatus.requested(127));
        assertFailedWith(WorkerEndedException.class, restarted);
        assertThat(hive.processes.starts()).isEqualTo(1);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aShutdownBeforeTheStartOfARestartCancelsTheStart() {
        String id = spawnCrashed(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        CompletableFuture<ShutdownReport> report = hive.shutdown(DEADLINE);
        hive.advanceSeconds(60);

        assertThat(report).isCompletedWithValue(new ShutdownReport(0, 0, 0, 0, 0));
        assertFailedWith(WorkerEndedException.class, restarted);
        assertThat(hive.processes.starts()).isEqualTo(1);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aStopDuringTheStartOfARestartTerminatesTheNewProcess() {
        List<CompletableFuture<ExitStatus>> stopped = new ArrayList<>();
        VirtualHive hive = whileRestarting((self, id) -> stopped.add(self.stop(id)));
        String id = spawnCrashed(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        hive.advanceSeconds(60);

        assertThat(stopped)
                .singleElement()
                .satisfies(stage -> assertThat(stage).isCompletedWithValue(ExitStatus.requested(0)));
        assertThat(restarted).isCompleted();
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aForceKillDuringTheStartOfARestartKillsTheNewProcess() {
        List<CompletableFuture<ExitStatus>> killed = new ArrayList<>();
        VirtualHive hive = whileRestarting((self, id) -> killed.add(self.forceKill(id)));
        String id = spawnCrashed(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        hive.advanceSeconds(60);

        assertThat(killed)
                .singleElement()
                .satisfies(stage -> assertThat(stage).isCompletedWithValue(ExitStatus.requested(137)));
        assertThat(restarted).isCompleted();
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aShutdownDuringTheStartOfARestartTerminatesTheNewProcess() {
        List<CompletableFuture<ShutdownReport>> reports = new ArrayList<>();
        VirtualHive hive = whileRestarting((self, id) -> reports.add(self.shutdown(DEADLINE)));
        String id = spawnCrashed(hive);
        hive.advanceSeconds(60);

        assertThat(reports)
                .singleElement()
                .satisfies(report -> assertThat(report).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0)));
        onePort.assertNothingLeft(hive, id);
    }

    /** A hive that runs a reaction during each start but the first. */
    private VirtualHive whileRestarting(BiConsumer<VirtualHive, String> reaction) {
        return onePort.hive((self, builder) -> builder.processController(spec -> {
            if (self.processes.starts() > 0) {
                reaction.accept(self, spec.workerId());
            }
            return self.processes.start(spec);
        }));
    }

    @Test
    void aRecordRemovedDuringARestartEndsTheNewProcess() {
        String id = spawnCrashed(hive);
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        hive.registry.remove(id);
        hive.advanceSeconds(60);

        assertThat(restarted).isCompleted();
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aRestartOfARemovedRecordFails() {
        String id = spawnCrashed(hive);
        hive.registry.remove(id);

        CompletableFuture<WorkerInfo> restarted = hive.restart(id);

        assertFailedWith(NoSuchWorkerException.class, restarted);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void twoConcurrentRestartsStartOneProcess() {
        String id = spawnCrashed(hive);

        CompletableFuture<WorkerInfo> first = hive.restart(id);
        CompletableFuture<WorkerInfo> second = hive.restart(id);
        hive.advanceSeconds(1);

        assertThat(first).isCompleted();
        assertThat(second).isCompletedWithValue(first.join());
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    @Test
    void aForceKillInBackoffCountsNoSecondExit() {
        String id = spawnCrashed(hive);

        hive.supervisor.forceKill(id);
        hive.advanceSeconds(60);

        assertThat(hive.registry.stats().endedBy()).isEqualTo(Map.of(Exit.Cause.CRASHED, 1L));
    }
}
