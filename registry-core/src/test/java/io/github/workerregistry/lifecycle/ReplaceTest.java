package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.FailedStage.assertFailedWith;
import static io.github.workerregistry.lifecycle.FailedStage.failureOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.process.SpawnException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A worker is replaced by another one, which is ready before the first one is stopped. */
@ExtendWith(UnexpectedWarnings.class)
class ReplaceTest {

    private static final WorkerSpec OLD = spec("old").build();
    private static final WorkerSpec NEW = spec("new").slots(4).build();

    private final PortPool ports = FreePorts.range(2);
    private final VirtualHive hive = hive(RestartPolicy.builder().jitter(0).build());

    private static WorkerSpec.Builder spec(String id) {
        return WorkerSpec.builder()
                .id(id)
                .modelRef("tiny")
                .command("serve", "{port}")
                .slots(2);
    }

    private VirtualHive hive(RestartPolicy policy) {
        VirtualHive made = new VirtualHive(builder -> builder.ports(ports).restartPolicy(policy));
        made.probe.answerAll(HealthStatus.unhealthy("loading"));
        return made;
    }

    /** A ready worker with the id {@code old}. */
    private void spawnOld() {
        hive.supervisor.spawn(OLD);
        hive.supervisor.reportReady("old");
    }

    /** Begins to replace it, until the new worker is loading. */
    private CompletableFuture<WorkerInfo> replaceOld() {
        CompletableFuture<WorkerInfo> replaced = replace("old", NEW);
        hive.time.runDueTasks();
        assertThat(hive.state("new").label()).isEqualTo("loading");
        assertThat(replaced).isNotDone();
        return replaced;
    }

    private CompletableFuture<WorkerInfo> replace(String id, WorkerSpec spec) {
        return hive.supervisor.replace(id, spec).toCompletableFuture();
    }

    private void assertNothingLeft() {
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.running()).isEmpty();
        assertThat(List.of(ports.acquire(), ports.acquire())).as("both ports").doesNotHaveDuplicates();
    }

    // --- the new one becomes ready

    @Test
    void theOldWorkerServesUntilTheNewOneIsReadyAndThenStops() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();
        hive.advanceSeconds(5);
        assertThat(hive.canLease("old")).isTrue();

        hive.supervisor.reportReady("new");

        assertThat(replaced).isCompletedWithValue(hive.worker("new"));
        assertThat(replaced.join().state()).isEqualTo(new Idle());
        assertThat(replaced.join().slotsTotal()).isEqualTo(4);
        assertThat(hive.isRemoved("old")).isTrue();
        assertThat(hive.processes.running()).containsExactly("new");
        assertThat(hive.lastExit().cause()).isEqualTo(Exit.Cause.REPLACED);
    }

    @Test
    void theNewIdIsGeneratedUnlessItIsGiven() {
        String id = hive.supervisor.spawn(OnePort.SPEC).id();
        hive.supervisor.reportReady(id);

        CompletableFuture<WorkerInfo> replaced = replace(id, OnePort.SPEC);
        hive.time.runDueTasks();
        String next = hive.registry.list().get(1).id();
        hive.supervisor.reportReady(next);

        assertThat(next).isNotEqualTo(id);
        assertThat(replaced.join().id()).isEqualTo(next);
    }

    @Test
    void subscribersSeeTheNewWorkerReadyBeforeTheOldOneStops() {
        List<String> events = new ArrayList<>();
        hive.registry.subscribe(
                event -> {
                    if (event instanceof WorkerEvent.OfWorker of) {
                        events.add(of.worker().id() + " " + event.getClass().getSimpleName());
                    }
                },
                Runnable::run);
        spawnOld();
        replaceOld();
        hive.supervisor.reportReady("new");

        assertThat(events)
                .containsExactly(
                        "old Registered",
                        "old BecameReady",
                        "new Registered",
                        "new BecameReady",
                        "old StopStarted",
                        "old Removed");
        assertThat(hive.heard.events())
                .anyMatch(
                        event -> event instanceof WorkerEvent.StopStarted stop && stop.reason() == StopReason.REPLACED)
                .anyMatch(event ->
                        event instanceof WorkerEvent.Removed removed && removed.cause() == Exit.Cause.REPLACED);
        assertThat(hive.registry.stats())
                .matches(stats -> stats.registered() == 2 && stats.becameReady() == 2 && stats.restarted() == 0)
                .matches(stats -> stats.ended(Exit.Cause.REPLACED) == 1 && stats.workers() == 1);
    }

    @Test
    void openLeasesOfTheOldWorkerRunToTheirEndWithoutALimit() {
        spawnOld();
        SlotLease lease = hive.lease("old");
        CompletableFuture<WorkerInfo> replaced = replaceOld();

        hive.supervisor.reportReady("new");

        assertThat(replaced).isCompleted();
        assertThat(hive.state("old")).isEqualTo(new Stopping(StopReason.REPLACED));
        assertThat(hive.registry.tryAcquireFrom("old")).isEmpty();
        hive.probe.answerAll(HealthStatus.healthy());
        hive.advance(Duration.ofHours(10));
        assertThat(lease.isValid()).isTrue();
        assertThat(hive.exitOf("old")).isEmpty();
        lease.close();
        hive.advanceSeconds(1);
        assertThat(hive.isRemoved("old")).isTrue();
        assertThat(hive.processes.running()).containsExactly("new");
    }

    /** The new worker accepts requests before the old one does not. */
    @Test
    void noSlotOfTheOldWorkerCanBeAcquiredOnceTheStageIsComplete() {
        spawnOld();
        hive.lease("old");
        CompletableFuture<WorkerInfo> replaced = replaceOld();
        AtomicReference<String> acquired = new AtomicReference<>();
        replaced.thenAccept(ready -> {
            assertThat(hive.registry.tryAcquireFrom("old")).isEmpty();
            acquired.set(hive.registry.tryAcquire("tiny").orElseThrow().workerId());
        });

        hive.supervisor.reportReady("new");

        assertThat(acquired).hasValue("new");
    }

    @Test
    void aWaiterIsServedByTheNewWorker() {
        spawnOld();
        hive.lease("old");
        hive.lease("old");
        CompletableFuture<SlotLease> waiting = hive.registry
                .acquireAsync(SlotRequest.forModel("tiny"), Duration.ofMinutes(1), Runnable::run)
                .lease()
                .toCompletableFuture();
        replaceOld();
        hive.supervisor.reportReady("new");

        assertThat(waiting)
                .isCompletedWithValueMatching(lease -> lease.workerId().equals("new"));
    }

    @Test
    void aReplacementIsRestartedLikeAnyOtherWorkerOnceItIsReady() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        spawnOld();
        replaceOld();
        hive.supervisor.reportReady("new");

        hive.processes.exit("new", 1);
        hive.advanceSeconds(2);

        assertThat(hive.worker("new").generation()).isEqualTo(2);
    }

    @Test
    void aReplacementCanBeReplacedFromACallBackOfTheFirst() {
        spawnOld();
        CompletableFuture<WorkerInfo> second = replaceOld()
                .thenCompose(
                        first -> hive.supervisor.replace("new", spec("newer").build()));
        hive.supervisor.reportReady("new");
        hive.time.runDueTasks();
        hive.supervisor.reportReady("newer");

        assertThat(second).isCompletedWithValueMatching(ready -> ready.id().equals("newer"));
        assertThat(hive.registry.list()).extracting(WorkerInfo::id).containsExactly("newer");
    }

    // --- the new one does not become ready

    @Test
    void aReplacementThatCrashesWhileItLoadsIsNotRestartedAndTheOldWorkerGoesOn() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();
        hive.processes.print("new", "no memory on device 0");

        hive.processes.exit("new", 3);
        hive.advanceSeconds(60);

        assertThat(failureOf(replaced))
                .isInstanceOf(WorkerEndedException.class)
                .hasMessageContainingAll("new", "CRASHED", "no memory on device 0");
        assertThat(((WorkerEndedException) failureOf(replaced)).exit().workerId())
                .isEqualTo("new");
        assertOnlyTheOldWorkerServes();
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    private void assertOnlyTheOldWorkerServes() {
        assertThat(hive.registry.list()).extracting(WorkerInfo::id).containsExactly("old");
        assertThat(hive.canLease("old")).isTrue();
        assertThat(hive.processes.running()).containsExactly("old");
        assertThat(ports.acquire()).as("the port of the new worker").isPositive();
    }

    @Test
    void aReplacementWhoseLoadStallsIsNotRestarted() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.STOPPED);
        spawnOld();
        hive.probe.answer("old", HealthStatus.healthy());
        CompletableFuture<WorkerInfo> replaced = replaceOld();

        hive.advance(Duration.ofMinutes(20));

        assertThat(((WorkerEndedException) failureOf(replaced)).exit().cause()).isEqualTo(Exit.Cause.LOAD_STALL);
        assertOnlyTheOldWorkerServes();
    }

    @Test
    void aReplacementWhoseProcessCannotBeStartedLeavesTheOldWorkerAlone() {
        spawnOld();
        hive.processes.failNextStart("no such file");

        CompletableFuture<WorkerInfo> replaced = replace("old", NEW);
        hive.advanceSeconds(60);

        assertThat(failureOf(replaced)).isInstanceOf(SpawnException.class).hasMessageContaining("no such file");
        assertOnlyTheOldWorkerServes();
    }

    @Test
    void aReplacementIsStartedOnTheBlockingExecutorAndItsRefusalFailsTheStage() {
        UnsupportedOperationException refusal = new UnsupportedOperationException("full");
        VirtualHive refusing = new VirtualHive(builder -> builder.blockingExecutor(task -> {
            throw refusal;
        }));
        String id = refusing.spawnReady();

        CompletableFuture<WorkerInfo> replaced =
                refusing.supervisor.replace(id, VirtualHive.SPEC).toCompletableFuture();

        assertThat(failureOf(replaced)).isSameAs(refusal);
        assertThat(refusing.canLease(id)).isTrue();
        assertThat(failureOf(refusing.supervisor.replace(id, VirtualHive.SPEC).toCompletableFuture()))
                .as("the first one has ended")
                .isSameAs(refusal);
    }

    @Test
    void aTakenIdFailsTheStage() {
        spawnOld();

        CompletableFuture<WorkerInfo> replaced = replace("old", OLD);
        hive.time.runDueTasks();

        assertFailedWith(DuplicateWorkerException.class, replaced);
        assertOnlyTheOldWorkerServes();
    }

    @Test
    void exhaustedPortsFailTheStage() {
        spawnOld();
        ports.acquire();

        CompletableFuture<WorkerInfo> replaced = replace("old", NEW);
        hive.time.runDueTasks();

        assertFailedWith(PortsExhaustedException.class, replaced);
        assertThat(hive.canLease("old")).isTrue();
    }

    @Test
    void aStopOfTheNewWorkerCancelsTheReplacement() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();

        hive.supervisor.stop("new");

        assertThat(((WorkerEndedException) failureOf(replaced)).exit().cause()).isEqualTo(Exit.Cause.REQUESTED);
        assertOnlyTheOldWorkerServes();
    }

    @Test
    void aRemovalOfTheNewWorkersRecordCancelsTheReplacement() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();

        hive.registry.remove("new");
        hive.advanceSeconds(1);

        assertFailedWith(WorkerEndedException.class, replaced);
        assertOnlyTheOldWorkerServes();
    }

    /** It ends between the moment in which it is ready and the stop of the old one. */
    @Test
    void aReplacementThatIsBeingStoppedWhenItBecomesReadyReplacesNothing() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();
        hive.processes.ignoreTerminate("new");
        hive.onNext(WorkerEvent.BecameReady.class, ready -> hive.supervisor.forceKill("new"));

        hive.registry.updateState("new", new Idle()); // by the hive; the supervisor notices it at the next tick
        hive.advanceSeconds(1);

        assertFailedWith(WorkerEndedException.class, replaced);
        assertOnlyTheOldWorkerServes();
    }

    @Test
    void aRestartOfTheNewWorkerIsRefusedUntilItIsReady() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();

        assertFailedWith(IllegalStateException.class, hive.restart("new"));
        assertFailedWith(
                IllegalStateException.class, replace("new", spec("newer").build()));
        assertFailedWith(
                IllegalStateException.class,
                hive.supervisor.replaceInPlace("new", NEW).toCompletableFuture());

        hive.supervisor.reportReady("new");
        assertThat(replaced).isCompleted();
        CompletableFuture<WorkerInfo> restarted = hive.restart("new");
        hive.advanceSeconds(1);
        assertThat(restarted).isCompleted();
    }

    // --- the old one ends meanwhile

    @Test
    void anOldWorkerThatBacksOffIsRemovedWhenTheNewOneIsReady() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();
        hive.processes.exit("old", 1);
        assertThat(hive.state("old").label()).isEqualTo("backing_off");

        hive.supervisor.reportReady("new");
        hive.advanceSeconds(60);

        assertThat(replaced).isCompleted();
        assertThat(hive.isRemoved("old")).isTrue();
        assertThat(hive.processes.starts()).isEqualTo(2);
        assertThat(hive.heard.events())
                .anyMatch(event ->
                        event instanceof WorkerEvent.Removed removed && removed.cause() == Exit.Cause.REPLACED);
        assertThat(hive.registry.stats().ended(Exit.Cause.REPLACED)).isZero();
    }

    @Test
    void anOldWorkerThatWasRestartedMeanwhileIsStoppedInItsNextGeneration() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();
        hive.processes.exit("old", 1);
        hive.advanceSeconds(2);
        hive.supervisor.reportReady("old");
        assertThat(hive.worker("old").generation()).isEqualTo(2);

        hive.supervisor.reportReady("new");

        assertThat(replaced).isCompleted();
        assertThat(hive.isRemoved("old")).isTrue();
        assertThat(hive.processes.running()).containsExactly("new");
    }

    @Test
    void theNewWorkerBecomesReadyEvenIfTheOldOneWasStopped() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();
        hive.supervisor.stop("old");
        assertThat(hive.isRemoved("old")).isTrue();

        hive.supervisor.reportReady("new");

        assertThat(replaced).isCompletedWithValue(hive.worker("new"));
    }

    @Test
    void aDrainWithALimitKeepsItsLimitAndItsReason() {
        spawnOld();
        hive.lease("old");
        CompletableFuture<WorkerInfo> replaced = replaceOld();
        hive.supervisor.stop("old");

        hive.supervisor.reportReady("new");
        hive.advanceSeconds(31);

        assertThat(replaced).isCompleted();
        assertThat(hive.isRemoved("old")).isTrue();
        assertThat(hive.lastExit().cause()).isEqualTo(Exit.Cause.REQUESTED);
    }

    /** It has the old id, and is not the worker that was to be replaced. */
    @Test
    void aWorkerSpawnedMeanwhileWithTheOldIdIsLeftAlone() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();
        hive.supervisor.stop("old");
        ports.release(portOf("new")); // a third port, for the test
        spawnOld();

        hive.supervisor.reportReady("new");

        assertThat(replaced).isCompleted();
        assertThat(hive.canLease("old")).isTrue();
    }

    private int portOf(String id) {
        return URI.create(hive.worker(id).url()).getPort();
    }

    @Test
    void aLoadingWorkerCanBeReplaced() {
        hive.supervisor.spawn(OLD);
        CompletableFuture<WorkerInfo> replaced = replaceOld();

        hive.supervisor.reportReady("new");

        assertThat(replaced).isCompleted();
        assertThat(hive.isRemoved("old")).isTrue();
    }

    // --- shutdown

    @Test
    void aShutdownFailsTheStageAndLeavesNothing() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();

        CompletableFuture<ShutdownReport> report = hive.shutdown(Duration.ofSeconds(5));
        hive.advanceSeconds(10);

        assertThat(report).isCompletedWithValue(new ShutdownReport(2, 0, 2, 0, 0));
        assertThat(((WorkerEndedException) failureOf(replaced)).exit().cause()).isEqualTo(Exit.Cause.SHUTDOWN);
        assertNothingLeft();
    }

    @Test
    void aCloseFailsTheStageAndLeavesNothing() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();

        hive.supervisor.closeNow();

        assertFailedWith(WorkerEndedException.class, replaced);
        assertNothingLeft();
    }

    @Test
    void aShutdownBeforeTheStartFailsTheStageAndStartsNothing() {
        List<Runnable> held = new ArrayList<>();
        VirtualHive holding = new VirtualHive(builder -> builder.blockingExecutor(held::add));
        String id = holding.spawnReady();
        CompletableFuture<WorkerInfo> replaced =
                holding.supervisor.replace(id, VirtualHive.SPEC).toCompletableFuture();

        holding.shutdown(Duration.ofSeconds(5));
        holding.advanceSeconds(10);

        assertThat(failureOf(replaced))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("shut down");
        held.forEach(Runnable::run);
        assertThat(holding.processes.starts()).isEqualTo(1);
        assertThat(holding.registry.list()).isEmpty();
    }

    @Test
    void aReplacementAfterAShutdownFails() {
        spawnOld();
        hive.lease("old");
        hive.shutdown(Duration.ofSeconds(50));

        CompletableFuture<WorkerInfo> replaced = replace("old", NEW);
        hive.time.runDueTasks();

        assertFailedWith(IllegalStateException.class, replaced);
        hive.advanceSeconds(60);
        assertFailedWith(NoSuchWorkerException.class, replace("old", NEW));
        assertNothingLeft();
    }

    // --- refused

    @Test
    void aSecondReplacementMeanwhileFails() {
        spawnOld();
        CompletableFuture<WorkerInfo> replaced = replaceOld();

        assertThat(failureOf(replace("old", spec("newer").build())))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("old");
        assertFailedWith(
                IllegalStateException.class,
                hive.supervisor.replaceInPlace("old", OLD).toCompletableFuture());

        hive.supervisor.reportReady("new");
        assertThat(replaced).isCompleted();
    }

    @Test
    void anUnknownIdFailsTheStage() {
        assertFailedWith(NoSuchWorkerException.class, replace("unknown", NEW));
        hive.register("registered", new Idle());
        assertFailedWith(NoSuchWorkerException.class, replace("registered", NEW));
        assertThat(hive.processes.starts()).isZero();
    }

    @Test
    void aSpecOfAnotherModelIsRefused() {
        spawnOld();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> hive.supervisor.replace(
                        "old", spec("new").modelRef("large").build()))
                .withMessageContainingAll("modelRef", "old", "tiny", "large");
        assertThat(hive.canLease("old")).isTrue();
    }

    @Test
    void nullIsRefused() {
        assertThatNullPointerException()
                .isThrownBy(() -> hive.supervisor.replace(null, NEW))
                .withMessage("id");
        assertThatNullPointerException()
                .isThrownBy(() -> hive.supervisor.replace("old", null))
                .withMessage("spec");
    }
}
