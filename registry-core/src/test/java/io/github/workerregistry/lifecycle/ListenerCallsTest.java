package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.FailedStage.assertFailedWith;
import static io.github.workerregistry.lifecycle.OnePort.spawnCrashed;
import static io.github.workerregistry.lifecycle.OnePort.spawnReady;
import static io.github.workerregistry.lifecycle.OnePort.withId;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Listeners that are called inline and call the supervisor: the call comes in the middle of the step that the event
 * reports. Every stage completes, and a worker that is ended leaves no record, no process and no port.
 */
@ExtendWith(UnexpectedWarnings.class)
class ListenerCallsTest {

    private static final Duration DEADLINE = Duration.ofSeconds(5);

    private final OnePort onePort = new OnePort();
    private final VirtualHive hive = onePort.hive();

    @Test
    void aRestartCalledOnRestartScheduledStartsOnceWithoutDelay() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = spawnReady(hive);
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        hive.onNext(WorkerEvent.RestartScheduled.class, scheduled -> restarted.add(hive.restart(id)));

        hive.processes.exit(id, 1);
        hive.time.runDueTasks();

        assertThat(restarted).singleElement().satisfies(next -> assertThat(next).isCompleted());
        hive.advanceSeconds(60);
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    @Test
    void aRestartCalledOnRestartedJoinsTheRestartInProgress() {
        String id = spawnCrashed(hive);
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        hive.onNext(WorkerEvent.Restarted.class, event -> restarted.add(hive.restart(id)));

        hive.advanceSeconds(60);

        assertThat(restarted)
                .singleElement()
                .satisfies(next -> assertThat(next).isCompletedWithValueMatching(now -> now.restarts() == 1));
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    @Test
    void aStopCalledOnRestartedCancelsTheStart() {
        String id = spawnCrashed(hive);
        List<CompletableFuture<ExitStatus>> stopped = new ArrayList<>();
        hive.onNext(WorkerEvent.Restarted.class, event -> stopped.add(hive.stop(id)));

        hive.advanceSeconds(60);

        assertThat(stopped)
                .singleElement()
                .satisfies(stage -> assertThat(stage).isCompletedWithValue(ExitStatus.requested(127)));
        assertThat(hive.processes.starts()).isEqualTo(1);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aShutdownCalledOnRestartedCompletes() {
        String id = spawnCrashed(hive);
        String other = hive.spawnReady();
        List<CompletableFuture<ShutdownReport>> report = new ArrayList<>();
        hive.onNext(WorkerEvent.Restarted.class, event -> report.add(hive.shutdown(DEADLINE)));

        hive.advanceSeconds(60);

        assertThat(report)
                .singleElement()
                .satisfies(counts -> assertThat(counts).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0)));
        onePort.assertNothingLeft(hive, id);
        assertThat(hive.isRemoved(other)).isTrue();
        assertThat(hive.time.pendingTasks()).isZero();
    }

    @Test
    void aCloseCalledOnRestartedLeavesNothing() {
        String id = spawnCrashed(hive);
        hive.onNext(WorkerEvent.Restarted.class, event -> hive.supervisor.closeNow());

        hive.advanceSeconds(60);

        onePort.assertNothingLeft(hive, id);
        assertThat(hive.time.pendingTasks()).isZero();
    }

    /** Regression: a restarted worker was treated as the hive's, and the url is that of the next generation. */
    @Test
    void anEvaluationOvertakenByARestartSendsNoStopRequest() {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.NO_LEASE_ACTIVITY + " for PT1M");
        List<WorkerInfo> asked = new ArrayList<>();
        VirtualHive hive = onePort.hive(builder -> builder.stopRequest(worker -> {
                    asked.add(worker);
                    return CompletableFuture.completedFuture(true);
                })
                .lifecycle(
                        VirtualHive.config().busyTimeout(Duration.ofMinutes(1)).build()));
        String id = spawnReady(hive);
        hive.lease(id);
        hive.onNext(WorkerEvent.StopStarted.class, stopping -> {
            hive.processes.exit(id, 1);
            hive.restart(id);
        });

        hive.advanceSeconds(65);

        assertThat(asked).isEmpty();
        assertThat(hive.worker(id).restarts()).isEqualTo(1);
        assertThat(hive.processes.running()).containsExactly(id);
    }

    @Test
    void aRestartThatFallsDueDuringAStopIsCancelled() {
        String id = spawnCrashed(hive);
        hive.onNext(WorkerEvent.Removed.class, event -> hive.advanceSeconds(2));

        CompletableFuture<ExitStatus> stopped = hive.stop(id);
        hive.advanceSeconds(60);

        assertThat(stopped).isCompleted();
        assertThat(hive.processes.starts()).isEqualTo(1);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aRestartCalledDuringAShutdownFails() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        hive.spawnReady("a");
        hive.spawnReady("b");
        hive.processes.exit("b", 1);
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        hive.onNext(WorkerEvent.StopStarted.class, stopping -> restarted.add(hive.restart("b")));

        CompletableFuture<ShutdownReport> report = hive.shutdown(DEADLINE);
        hive.advanceSeconds(60);

        assertThat(restarted).singleElement().satisfies(none -> assertFailedWith(NoSuchWorkerException.class, none));
        assertThat(hive.processes.starts()).isEqualTo(2);
        assertThat(report).isCompleted();
        assertThat(hive.isRemoved("a")).isTrue();
        onePort.assertNothingLeft(hive, "b");
    }

    @Test
    void idAndPortCanBeReusedOnRemovedAfterACrash() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive hive = onePort.hive(builder -> builder.restartPolicy(RestartPolicy.never()));
        String id = spawnReady(hive);
        hive.onNext(WorkerEvent.Removed.class, event -> hive.supervisor.spawn(withId(id)));

        hive.processes.exit(id, 1);

        assertThat(hive.worker(id).pid()).isPresent();
        assertThat(hive.processes.running()).hasSize(1);
    }

    @Test
    void idAndPortCanBeReusedOnRemovedAfterAStopInBackoff() {
        String id = spawnCrashed(hive);
        hive.onNext(WorkerEvent.Removed.class, event -> hive.supervisor.spawn(withId(id)));

        hive.supervisor.stop(id);

        assertThat(hive.worker(id).pid()).isPresent();
        assertThat(hive.processes.running()).hasSize(1);
    }
}
