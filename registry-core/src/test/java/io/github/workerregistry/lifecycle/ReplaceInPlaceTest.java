package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.FailedStage.assertFailedWith;
import static io.github.workerregistry.lifecycle.FailedStage.failureOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.health.HealthStatus;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A worker is replaced by its own next generation, with another spec. */
@ExtendWith(UnexpectedWarnings.class)
class ReplaceInPlaceTest {

    private static final WorkerSpec REVISED = WorkerSpec.builder()
            .modelRef("tiny")
            .command("serve", "--fast", "{port}")
            .url("http://127.0.0.1:{port}/v2")
            .slots(5)
            .backend("cuda")
            .device(1)
            .label("tier", "fast")
            .build();

    @RegisterExtension
    private final BlockedStart blocked = new BlockedStart();

    private final OnePort onePort = new OnePort();
    private final VirtualHive hive = loading(onePort.hive());

    private static VirtualHive loading(VirtualHive hive) {
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));
        return hive;
    }

    private CompletableFuture<WorkerInfo> replace(String id, WorkerSpec spec) {
        return hive.supervisor.replaceInPlace(id, spec).toCompletableFuture();
    }

    /** Replaces an idle worker, until its next generation is loading. */
    private CompletableFuture<WorkerInfo> replaceUntilLoading(String id) {
        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        hive.advance(Duration.ofMillis(200));
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        assertThat(hive.processes.running()).containsExactly(id);
        return replaced;
    }

    private static int portOf(WorkerInfo worker) {
        return URI.create(worker.url()).getPort();
    }

    // --- the next generation becomes ready

    @Test
    void theNextGenerationHasTheSameIdAndPortAndTheNewSpec() {
        String id = OnePort.spawnReady(hive);
        WorkerInfo before = hive.worker(id);

        CompletableFuture<WorkerInfo> replaced = replaceUntilLoading(id);
        assertThat(replaced).isNotDone();
        hive.supervisor.reportReady(id);

        WorkerInfo after = hive.worker(id);
        assertThat(replaced).isCompletedWithValue(after);
        assertThat(after.state()).isEqualTo(new Idle());
        assertThat(after.generation()).isEqualTo(before.generation() + 1);
        assertThat(portOf(after)).isEqualTo(portOf(before));
        assertThat(after.url()).endsWith("/v2");
        assertThat(after.slotsTotal()).isEqualTo(5);
        assertThat(after.backend()).isEqualTo("cuda");
        assertThat(after.device()).isEqualTo(1);
        assertThat(after.labels()).isEqualTo(Map.of("tier", "fast"));
        assertThat(hive.processes.specOf(id).command()).contains("--fast");
        for (int i = 0; i < 5; i++) {
            hive.lease(id);
        }
        assertThat(hive.canLease(id)).isFalse();
    }

    @Test
    void theRecordStaysAndItsHistoryIsConsistent() {
        String id = OnePort.spawnReady(hive);
        SlotLease lease = hive.lease(id);

        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        assertThat(hive.state(id)).isEqualTo(new Stopping(StopReason.REPLACED, true));
        lease.close();
        hive.advanceSeconds(1);
        hive.supervisor.reportReady(id);

        assertThat(replaced).isCompleted();
        assertThat(hive.heard.historyOf(id))
                .containsExactly(
                        "Registered", "BecameReady", "StopStarted", "RestartScheduled", "Restarted", "BecameReady");
        assertThat(hive.heard.events())
                .anyMatch(
                        event -> event instanceof WorkerEvent.StopStarted stop && stop.reason() == StopReason.REPLACED);
        assertThat(hive.lastExit().cause()).isEqualTo(Exit.Cause.REPLACED);
        assertThat(hive.registry.stats())
                .matches(stats -> stats.registered() == 1 && stats.restarted() == 1 && stats.crashed() == 0)
                .matches(stats -> stats.ended(Exit.Cause.REPLACED) == 1 && stats.slotsTotal() == 5);
        assertThat(hive.worker(id).restarts()).isEqualTo(1);
    }

    @Test
    void openLeasesRunToTheirEndWithoutALimit() {
        String id = OnePort.spawnReady(hive);
        SlotLease lease = hive.lease(id);

        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        hive.advance(Duration.ofHours(10));

        assertThat(hive.registry.tryAcquireFrom(id)).isEmpty();
        assertThat(lease.isValid()).isTrue();
        assertThat(hive.exitOf(id)).isEmpty();
        assertThat(replaced).isNotDone();
        lease.close();
        hive.advanceSeconds(1);
        assertThat(hive.worker(id).generation()).isEqualTo(2);
    }

    @Test
    void waitersWaitForTheNextGeneration() {
        String id = OnePort.spawnReady(hive);
        hive.lease(id).close();
        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);

        CompletableFuture<SlotLease> waiting = hive.registry
                .acquireAsync(SlotRequest.forModel("tiny"), Duration.ofHours(1), Runnable::run)
                .lease()
                .toCompletableFuture();
        hive.advanceSeconds(1);
        hive.supervisor.reportReady(id);

        assertThat(replaced).isCompleted();
        assertThat(waiting).isCompletedWithValueMatching(lease -> lease.generation() == 2);
    }

    @Test
    void aWorkerThatUsesNoPortAnyMoreReleasesIt() {
        String id = OnePort.spawnReady(hive);

        CompletableFuture<WorkerInfo> replaced = replace(id, VirtualHive.SPEC);
        hive.advanceSeconds(1);
        hive.supervisor.reportReady(id);

        assertThat(replaced.join().url()).isEqualTo("http://fake");
        onePort.assertPortIsFree();
    }

    @Test
    void theNewSpecIsKeptOverRestarts() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = OnePort.spawnReady(hive);
        replaceUntilLoading(id);
        hive.supervisor.reportReady(id);

        hive.processes.exit(id, 1);
        hive.advanceSeconds(2);

        assertThat(hive.worker(id).generation()).isEqualTo(3);
        assertThat(hive.worker(id).slotsTotal()).isEqualTo(5);
        assertThat(hive.processes.specOf(id).command()).contains("--fast");
    }

    @Test
    void aWorkerCanBeReplacedInPlaceAgainAndAgain() {
        String id = OnePort.spawnReady(hive);
        for (int i = 1; i <= 20; i++) {
            CompletableFuture<WorkerInfo> replaced = replace(id, i % 2 == 0 ? OnePort.SPEC : REVISED);
            hive.advanceSeconds(1);
            hive.supervisor.reportReady(id);
            assertThat(replaced.join().generation()).isEqualTo(i + 1);
            assertThat(replaced.join().slotsTotal()).isEqualTo(i % 2 == 0 ? 2 : 5);
        }
        assertThat(hive.heard.historyOf(id)).doesNotContain("Crashed", "Removed");
    }

    // --- it does not become ready

    @Test
    void aNextGenerationThatCrashesIsRestartedByItsPolicyAndTheStageFails() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = OnePort.spawnReady(hive);
        CompletableFuture<WorkerInfo> replaced = replaceUntilLoading(id);
        hive.processes.print(id, "unknown option --fast");

        hive.processes.exit(id, 2);

        assertThat(failureOf(replaced))
                .isInstanceOf(WorkerEndedException.class)
                .hasMessageContaining("unknown option --fast");
        assertThat(((WorkerEndedException) failureOf(replaced)).exit().generation())
                .isEqualTo(2);
        assertThat(hive.state(id)).isInstanceOf(BackingOff.class);
        hive.advanceSeconds(2);
        assertThat(hive.worker(id).generation()).isEqualTo(3);
        assertThat(hive.processes.specOf(id).command()).contains("--fast");
    }

    @Test
    void theWayBackIsAnotherReplacementWhichDoesNotWaitForTheBackoff() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = OnePort.spawnReady(hive);
        replaceUntilLoading(id);
        hive.processes.exit(id, 2);

        CompletableFuture<WorkerInfo> back = replace(id, OnePort.SPEC);
        hive.time.runDueTasks();
        hive.supervisor.reportReady(id);

        assertThat(back.join().generation()).isEqualTo(3);
        assertThat(hive.processes.specOf(id).command()).doesNotContain("--fast");
    }

    /** The failures of the old spec do not count against the new one. */
    @Test
    void failuresAreCountedAnew() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = OnePort.spawnReady(hive);
        hive.processes.exit(id, 1);
        hive.advanceSeconds(2);
        hive.processes.exit(id, 1);
        assertThat(hive.attempt(id)).isEqualTo(2);

        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        hive.time.runDueTasks();
        hive.processes.exit(id, 1);

        assertFailedWith(WorkerEndedException.class, replaced);
        assertThat(hive.attempt(id)).isEqualTo(1);
    }

    @Test
    void withoutRestartsAFailedStartRemovesTheWorker() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive never = loading(onePort.hive(builder -> builder.restartPolicy(RestartPolicy.never())));
        String id = OnePort.spawnReady(never);
        CompletableFuture<WorkerInfo> replaced =
                never.supervisor.replaceInPlace(id, REVISED).toCompletableFuture();
        never.advanceSeconds(1);

        never.processes.exit(id, 2);

        assertFailedWith(WorkerEndedException.class, replaced);
        onePort.assertNothingLeft(never, id);
    }

    @Test
    void aPortHeldByAnotherProcessFailsTheStartAndIsNamed() throws IOException {
        UnexpectedWarnings.expect(Warnings.START_FAILED);
        String id = OnePort.spawnReady(hive);
        int port = portOf(hive.worker(id));
        try (ServerSocket stranger = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            assertThat(stranger.isBound()).isTrue();
            CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
            hive.advance(Duration.ofMillis(200));

            assertThat(failureOf(replaced))
                    .isInstanceOf(WorkerEndedException.class)
                    .hasMessageContaining("port " + port + " is in use");
            assertThat(((WorkerEndedException) failureOf(replaced)).exit().cause())
                    .isEqualTo(Exit.Cause.START_FAILED);
        }
    }

    @Test
    void aProcessThatCannotBeStartedFailsTheStage() {
        UnexpectedWarnings.expect(Warnings.START_FAILED);
        String id = OnePort.spawnReady(hive);
        hive.processes.failNextStart("no such file");

        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        hive.advance(Duration.ofMillis(200));

        assertThat(failureOf(replaced)).isInstanceOf(WorkerEndedException.class).hasMessageContaining("no such file");
    }

    // --- the old process ends otherwise

    @Test
    void aCrashDuringTheDrainIsFollowedByTheNewSpecAtOnce() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive never = loading(onePort.hive(builder -> builder.restartPolicy(RestartPolicy.never())));
        String id = OnePort.spawnReady(never);
        never.lease(id);
        CompletableFuture<WorkerInfo> replaced =
                never.supervisor.replaceInPlace(id, REVISED).toCompletableFuture();

        never.processes.exit(id, 1);
        never.advance(Duration.ofMillis(200));
        never.supervisor.reportReady(id);

        assertThat(replaced.join().generation()).isEqualTo(2);
        assertThat(never.processes.specOf(id).command()).contains("--fast");
    }

    @Test
    void aWorkerThatBacksOffIsReplacedAtOnce() {
        String id = OnePort.spawnCrashed(hive);

        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        hive.time.runDueTasks();
        hive.supervisor.reportReady(id);

        assertThat(replaced.join().slotsTotal()).isEqualTo(5);
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    @Test
    void aStopDuringTheDrainEndsTheWorker() {
        String id = OnePort.spawnReady(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        hive.advance(Duration.ofHours(1));

        hive.supervisor.stop(id);
        hive.advanceSeconds(60);

        assertFailedWith(WorkerEndedException.class, replaced);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aWorkerThatIsBeingStoppedIsNotReplaced() {
        String id = OnePort.spawnReady(hive);
        hive.lease(id);
        hive.supervisor.stop(id);

        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        hive.advanceSeconds(60);

        assertFailedWith(WorkerEndedException.class, replaced);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aForceKillDuringTheDrainEndsTheWorker() {
        String id = OnePort.spawnReady(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);

        hive.supervisor.forceKill(id);

        assertFailedWith(WorkerEndedException.class, replaced);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aRemovalOfTheRecordEndsTheWorker() {
        String id = OnePort.spawnReady(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);

        hive.registry.remove(id);
        hive.advanceSeconds(1);

        assertFailedWith(WorkerEndedException.class, replaced);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aRemovalBeforeTheNextGenerationFailsTheStage() {
        String id = OnePort.spawnReady(hive);
        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        assertThat(hive.state(id)).isInstanceOf(BackingOff.class);

        hive.registry.remove(id);
        hive.advanceSeconds(60);

        assertFailedWith(NoSuchWorkerException.class, replaced);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void anUnkillableProcessFailsTheStageAndIsReplacedIfItExitsLater() {
        UnexpectedWarnings.expect(Warnings.UNKILLABLE);
        String id = OnePort.spawnReady(hive);
        hive.processes.ignoreTerminate(id);
        hive.processes.ignoreKill(id);

        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);
        hive.advanceSeconds(60);

        assertFailedWith(UnkillableException.class, replaced);
        hive.processes.exit(id, 137);
        hive.advanceSeconds(1);
        assertThat(hive.worker(id).slotsTotal()).isEqualTo(5);
    }

    @Test
    void aWorkerWhoseProcessIsBeingStartedIsReplacedAfterItsStart() throws InterruptedException {
        String id = blocked.begin();
        CompletableFuture<WorkerInfo> replaced =
                blocked.hive.supervisor.replaceInPlace(id, REVISED).toCompletableFuture();
        blocked.hive.advanceSeconds(1);
        assertThat(blocked.hive.worker(id).generation()).isEqualTo(2);

        blocked.finish();

        assertThat(blocked.hive.state(id)).as("the process has been ended").isInstanceOf(BackingOff.class);
        assertThat(replaced).isNotDone();
        UnexpectedWarnings.expect(Warnings.START_FAILED);
        blocked.hive.advanceSeconds(1); // the executor has been shut down
        assertThat(failureOf(replaced)).isInstanceOf(WorkerEndedException.class);
    }

    // --- shutdown

    @Test
    void aShutdownDuringTheDrainFailsTheStageAndLeavesNothing() {
        String id = OnePort.spawnReady(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);

        hive.shutdown(Duration.ofSeconds(5));
        hive.advanceSeconds(10);

        assertFailedWith(WorkerEndedException.class, replaced);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aCloseBeforeTheNextGenerationFailsTheStageAndLeavesNothing() {
        String id = OnePort.spawnReady(hive);
        CompletableFuture<WorkerInfo> replaced = replace(id, REVISED);

        hive.supervisor.closeNow();

        assertFailedWith(WorkerEndedException.class, replaced);
        onePort.assertNothingLeft(hive, id);
    }

    @Test
    void aShutdownWhileTheNextGenerationLoadsFailsTheStage() {
        String id = OnePort.spawnReady(hive);
        CompletableFuture<WorkerInfo> replaced = replaceUntilLoading(id);

        hive.shutdown(Duration.ofSeconds(5));
        hive.advanceSeconds(10);

        assertThat(((WorkerEndedException) failureOf(replaced)).exit().cause()).isEqualTo(Exit.Cause.SHUTDOWN);
        onePort.assertNothingLeft(hive, id);
    }

    // --- refused

    @Test
    void aSecondReplacementMeanwhileFails() {
        String id = OnePort.spawnReady(hive);
        CompletableFuture<WorkerInfo> replaced = replaceUntilLoading(id);

        assertFailedWith(IllegalStateException.class, replace(id, REVISED));
        assertFailedWith(
                IllegalStateException.class,
                hive.supervisor.replace(id, REVISED).toCompletableFuture());

        hive.supervisor.reportReady(id);
        assertThat(replaced).isCompleted();
    }

    @Test
    void anUnknownIdFailsTheStage() {
        assertFailedWith(NoSuchWorkerException.class, replace("unknown", REVISED));
    }

    @Test
    void aSpecOfAnotherModelOrWithAnotherIdIsRefused() {
        String id = OnePort.spawnReady(hive);

        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> replace(id, REVISED.toBuilder().modelRef("large").build()))
                .withMessageContainingAll("modelRef", id, "large");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> replace(id, REVISED.toBuilder().id("other").build()))
                .withMessageContainingAll(id, "other");
        assertThat(hive.canLease(id)).isTrue();
        replace(id, REVISED.toBuilder().id(id).build());
        assertThat(hive.canLease(id)).isFalse();
    }

    @Test
    void aPortCannotBeKeptWhereThereIsNone() {
        String id = hive.spawnReady();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> replace(id, REVISED))
                .withMessageContainingAll("{port}", id);
        assertThat(hive.canLease(id)).isTrue();
        assertThat(replace(id, VirtualHive.SPEC))
                .as("nothing is left of the refused call")
                .isNotDone();
    }

    @Test
    void aUrlThatIsMalformedWithThisIdFailsTheStageAndNothingElse() {
        hive.spawnReady("a b");

        CompletableFuture<WorkerInfo> replaced =
                replace("a b", VirtualHive.SPEC.toBuilder().url("http://{id}").build());

        assertThat(failureOf(replaced))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("url");
        assertThat(hive.canLease("a b")).isTrue();
    }

    @Test
    void nullIsRefused() {
        assertThatNullPointerException()
                .isThrownBy(() -> replace(null, REVISED))
                .withMessage("id");
        assertThatNullPointerException().isThrownBy(() -> replace("w", null)).withMessage("spec");
    }
}
