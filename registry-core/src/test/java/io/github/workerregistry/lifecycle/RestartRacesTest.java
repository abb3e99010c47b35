package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What meets what about one worker, step by step in virtual time: listeners that are called inline and executors that
 * are held put the second thing in the middle of the first. Whatever met, every stage completes, and a worker that was
 * to end leaves no record, no process and no port.
 */
@ExtendWith(UnexpectedWarnings.class)
class RestartRacesTest {

    private static final Duration DEADLINE = Duration.ofSeconds(5);

    private final PortRange port = FreePorts.range(1);
    private final List<Runnable> held = new ArrayList<>();
    private final VirtualHive hive = hive(builder -> builder);

    private VirtualHive hive(UnaryOperator<WorkerSupervisor.Builder> settings) {
        return new VirtualHive(builder -> settings.apply(
                builder.restart(RestartPolicy.builder().jitter(0).build()).ports(port)));
    }

    // --- a restart in backoff, and then something else

    @Test
    void aStopOvertakesTheStartOfARestartAndThereIsNoNewProcess() {
        String id = crashed(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        CompletableFuture<ExitStatus> stopped = stop(hive, id);
        hive.advanceSeconds(60);

        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(127));
        assertFailed(restarted).isInstanceOf(WorkerEndedException.class);
        assertThat(hive.processes.starts()).isEqualTo(1);
        assertNothingLeft(hive, id);
    }

    @Test
    void aForceKillOvertakesTheStartOfARestartAndThereIsNoNewProcess() {
        String id = crashed(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        CompletableFuture<ExitStatus> killed = hive.supervisor.forceKill(id).toCompletableFuture();
        hive.advanceSeconds(60);

        assertThat(killed).isCompletedWithValue(ExitStatus.requested(127));
        assertFailed(restarted).isInstanceOf(WorkerEndedException.class);
        assertThat(hive.processes.starts()).isEqualTo(1);
        assertNothingLeft(hive, id);
    }

    @Test
    void aShutdownOvertakesTheStartOfARestart() {
        String id = crashed(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        CompletableFuture<ShutdownReport> report = shutdown(hive);
        hive.advanceSeconds(60);

        assertThat(report).isCompletedWithValue(new ShutdownReport(0, 0, 0, 0, 0));
        assertFailed(restarted).isInstanceOf(WorkerEndedException.class);
        assertThat(hive.processes.starts()).isEqualTo(1);
        assertNothingLeft(hive, id);
    }

    @Test
    void aStopInTheMiddleOfTheStartOfARestartEndsTheNewProcess() {
        List<CompletableFuture<ExitStatus>> stopped = new ArrayList<>();
        VirtualHive hive = stoppedWhileStarting(id -> stopped.add(stop(this.starting, id)));
        String id = crashed(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);
        hive.advanceSeconds(60);

        assertThat(stopped)
                .singleElement()
                .satisfies(gone -> assertThat(gone).isCompletedWithValue(ExitStatus.requested(0)));
        assertThat(restarted).isCompleted();
        assertNothingLeft(hive, id);
    }

    @Test
    void aForceKillInTheMiddleOfTheStartOfARestartKillsTheNewProcess() {
        List<CompletableFuture<ExitStatus>> killed = new ArrayList<>();
        VirtualHive hive = stoppedWhileStarting(
                id -> killed.add(this.starting.supervisor.forceKill(id).toCompletableFuture()));
        String id = crashed(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);
        hive.advanceSeconds(60);

        assertThat(killed)
                .singleElement()
                .satisfies(gone -> assertThat(gone).isCompletedWithValue(ExitStatus.requested(137)));
        assertThat(restarted).isCompleted();
        assertNothingLeft(hive, id);
    }

    @Test
    void aShutdownInTheMiddleOfTheStartOfARestartEndsTheNewProcess() {
        List<CompletableFuture<ShutdownReport>> reports = new ArrayList<>();
        VirtualHive hive = stoppedWhileStarting(id -> reports.add(shutdown(this.starting)));
        String id = crashed(hive);
        hive.advanceSeconds(60);

        assertThat(reports)
                .singleElement()
                .satisfies(report -> assertThat(report).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0)));
        assertNothingLeft(hive, id);
    }

    private VirtualHive starting;

    /** A hive in which something happens in the middle of each start but the first. */
    private VirtualHive stoppedWhileStarting(Consumer<String> meanwhile) {
        starting = hive(builder -> builder.processes(spec -> {
            if (starting.processes.starts() > 0) {
                meanwhile.accept(spec.workerId());
            }
            return starting.processes.start(spec);
        }));
        return starting;
    }

    @Test
    void aRecordThatTheHostRemovesWhileTheRestartIsBeingStartedTakesTheNewProcessAlong() {
        String id = crashed(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        hive.registry.remove(id);
        hive.advanceSeconds(60);

        assertThat(restarted).isCompleted();
        assertNothingLeft(hive, id);
    }

    @Test
    void aRestartOfAWorkerWhoseRecordTheHostHasRemovedFails() {
        String id = crashed(hive);
        hive.registry.remove(id);

        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        assertFailed(restarted).isInstanceOf(NoSuchWorkerException.class);
        assertNothingLeft(hive, id);
    }

    @Test
    void twoRestartsAtOnceAreOne() {
        String id = crashed(hive);

        CompletableFuture<WorkerInfo> first = restart(hive, id);
        CompletableFuture<WorkerInfo> second = restart(hive, id);
        hive.advanceSeconds(1);

        assertThat(first).isCompleted();
        assertThat(second).isCompletedWithValue(first.join());
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    // --- an operator's restart of a worker that has ended, but was not restarted yet

    @Test
    void aStopBeforeTheSweepCancelsAnOperatorsRestart() {
        String id = ready(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        CompletableFuture<ExitStatus> stopped = stop(hive, id);
        hive.advanceSeconds(60);

        assertFailed(restarted).isInstanceOf(WorkerEndedException.class);
        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(0));
        assertNothingLeft(hive, id);
    }

    @Test
    void aShutdownBeforeTheSweepCancelsAnOperatorsRestart() {
        String id = ready(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        CompletableFuture<ShutdownReport> report = shutdown(hive);
        hive.advanceSeconds(60);

        assertFailed(restarted).isInstanceOf(WorkerEndedException.class);
        assertThat(report).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0));
        assertNothingLeft(hive, id);
    }

    @Test
    void aCloseBeforeTheSweepCancelsAnOperatorsRestart() {
        String id = ready(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        hive.supervisor.close();

        assertFailed(restarted).isInstanceOf(WorkerEndedException.class);
        assertNothingLeft(hive, id);
    }

    @Test
    void aRecordThatTheHostRemovesBeforeTheSweepCancelsAnOperatorsRestart() {
        String id = ready(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        hive.registry.remove(id);
        hive.advanceSeconds(60);

        assertFailed(restarted).isInstanceOf(NoSuchWorkerException.class);
        assertNothingLeft(hive, id);
    }

    @Test
    void aStopBeforeTheSweepTellsThatTheHostHasRemovedTheRecordOfAnOperatorsRestart() {
        String id = ready(hive);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);
        hive.registry.remove(id);

        CompletableFuture<ExitStatus> stopped = stop(hive, id);

        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(0));
        assertFailed(restarted).isInstanceOf(NoSuchWorkerException.class);
        assertNothingLeft(hive, id);
    }

    @Test
    void aRecordThatTheHostRemovesWhileAnOperatorsRestartDrainsEndsTheWorkerForGood() {
        String id = ready(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        hive.registry.remove(id);
        hive.advanceSeconds(60);

        assertFailed(restarted).isInstanceOf(WorkerEndedException.class);
        assertNothingLeft(hive, id);
    }

    @Test
    void aForceKillWhileAnOperatorsRestartDrainsEndsTheWorkerForGood() {
        String id = ready(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        CompletableFuture<ExitStatus> killed = hive.supervisor.forceKill(id).toCompletableFuture();
        hive.advanceSeconds(60);

        assertThat(killed).isCompletedWithValue(ExitStatus.requested(137));
        assertFailed(restarted).isInstanceOf(WorkerEndedException.class);
        assertNothingLeft(hive, id);
    }

    @Test
    void aRestartOfAProcessThatSurvivesItsKillFailsInsteadOfWaitingForEver() {
        UnexpectedWarnings.expect("is still there after SIGKILL");
        String id = ready(hive);
        hive.processes.ignoreTerminate(id);
        hive.processes.ignoreKill(id);

        CompletableFuture<WorkerInfo> restarted = restart(hive, id);
        hive.advanceSeconds(60);

        assertFailed(restarted).isInstanceOf(UnkillableException.class);
    }

    // --- an operator's restart of a worker that ends by itself

    @Test
    void aWorkerThatEndsWellWhileItDrainsIsStillRestarted() {
        String id = ready(hive);
        hive.lease(id);
        CompletableFuture<WorkerInfo> restarted = restart(hive, id);

        hive.processes.exit(id, 0);
        hive.advanceSeconds(1);

        assertThat(restarted).isCompletedWithValueMatching(next -> next.restarts() == 1);
        assertThat(hive.processes.running()).containsExactly(id);
    }

    @Test
    void aWorkerThatCrashesWhileItDrainsIsStillRestartedThoughThePolicySaysNever() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        VirtualHive never = hive(builder -> builder.restart(RestartPolicy.never()));
        String id = ready(never);
        never.lease(id);
        CompletableFuture<WorkerInfo> restarted = restart(never, id);

        never.processes.exit(id, 1);
        never.advanceSeconds(1);

        assertThat(restarted).isCompletedWithValueMatching(next -> next.restarts() == 1);
        assertThat(never.processes.running()).containsExactly(id);
    }

    @Test
    void aWorkerThatCrashesAtTheMomentOfItsRestartIsRestarted() {
        String id = ready(hive);
        on(hive, WorkerEvent.Stopping.class, stopping -> hive.processes.exit(id, 1));

        CompletableFuture<WorkerInfo> restarted = restart(hive, id);
        hive.advanceSeconds(1);

        assertThat(restarted).isCompletedWithValueMatching(next -> next.restarts() == 1);
        assertThat(hive.processes.running()).containsExactly(id);
    }

    // --- from within an event

    @Test
    void aRestartFromWithinRestartScheduledDoesNotWaitAndHappensOnce() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = ready(hive);
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        on(hive, WorkerEvent.RestartScheduled.class, scheduled -> restarted.add(restart(hive, id)));

        hive.processes.exit(id, 1);
        hive.time.runDueTasks();

        assertThat(restarted).singleElement().satisfies(next -> assertThat(next).isCompleted());
        hive.advanceSeconds(60);
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    @Test
    void aRestartFromWithinRestartedIsTheOneThatIsGoingOn() {
        String id = crashed(hive);
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        on(hive, WorkerEvent.Restarted.class, event -> restarted.add(restart(hive, id)));

        hive.advanceSeconds(60);

        assertThat(restarted)
                .singleElement()
                .satisfies(next -> assertThat(next).isCompletedWithValueMatching(now -> now.restarts() == 1));
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    @Test
    void aStopFromWithinRestartedMeansThatThereIsNoNewProcess() {
        String id = crashed(hive);
        List<CompletableFuture<ExitStatus>> stopped = new ArrayList<>();
        on(hive, WorkerEvent.Restarted.class, event -> stopped.add(stop(hive, id)));

        hive.advanceSeconds(60);

        assertThat(stopped)
                .singleElement()
                .satisfies(gone -> assertThat(gone).isCompletedWithValue(ExitStatus.requested(127)));
        assertThat(hive.processes.starts()).isEqualTo(1);
        assertNothingLeft(hive, id);
    }

    @Test
    void aShutdownFromWithinRestartedEndsEverythingAndTheReportComes() {
        String id = crashed(hive);
        String other = hive.spawnReady();
        List<CompletableFuture<ShutdownReport>> report = new ArrayList<>();
        on(hive, WorkerEvent.Restarted.class, event -> report.add(shutdown(hive)));

        hive.advanceSeconds(60);

        assertThat(report)
                .singleElement()
                .satisfies(counts -> assertThat(counts).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0)));
        assertNothingLeft(hive, id);
        assertThat(hive.isGone(other)).isTrue();
        assertThat(hive.time.pendingTasks()).isZero();
    }

    @Test
    void aCloseFromWithinRestartedLeavesNothing() {
        String id = crashed(hive);
        on(hive, WorkerEvent.Restarted.class, event -> hive.supervisor.close());

        hive.advanceSeconds(60);

        assertNothingLeft(hive, id);
        assertThat(hive.time.pendingTasks()).isZero();
    }

    /** A worker that had been replaced in between was taken for the host's, and its url is that of the next one. */
    @Test
    void aVerdictThatIsOvertakenByARestartAsksNobodyToEnd() {
        UnexpectedWarnings.expect("is gone: CRASHED", "nothing moved for PT1M");
        List<WorkerInfo> asked = new ArrayList<>();
        VirtualHive hive = hive(builder -> builder.stopRequest(worker -> {
                    asked.add(worker);
                    return CompletableFuture.completedFuture(true);
                })
                .config(VirtualHive.config().busyLimit(Duration.ofMinutes(1)).build()));
        String id = ready(hive);
        hive.lease(id);
        on(hive, WorkerEvent.Stopping.class, stopping -> {
            hive.processes.exit(id, 1);
            restart(hive, id);
        });

        hive.advanceSeconds(65);

        assertThat(asked).isEmpty();
        assertThat(hive.worker(id).restarts()).isEqualTo(1);
        assertThat(hive.processes.running()).containsExactly(id);
    }

    @Test
    void aRestartThatFallsDueInTheMiddleOfAStopDoesNotComeBack() {
        String id = crashed(hive);
        on(hive, WorkerEvent.Removed.class, event -> hive.advanceSeconds(2));

        CompletableFuture<ExitStatus> stopped = stop(hive, id);
        hive.advanceSeconds(60);

        assertThat(stopped).isCompleted();
        assertThat(hive.processes.starts()).isEqualTo(1);
        assertNothingLeft(hive, id);
    }

    @Test
    void aRestartThatSomebodyWantsInTheMiddleOfAShutdownIsNone() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        hive.spawnReady("a"); // the first that the shutdown stops
        hive.spawnReady("b");
        hive.processes.exit("b", 1);
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        on(hive, WorkerEvent.Stopping.class, stopping -> restarted.add(restart(hive, "b")));

        CompletableFuture<ShutdownReport> report = shutdown(hive);
        hive.advanceSeconds(60);

        assertThat(restarted)
                .singleElement()
                .satisfies(none -> assertFailed(none).isInstanceOf(WorkerEndedException.class));
        assertThat(hive.processes.starts()).isEqualTo(2);
        assertThat(report).isCompleted();
        assertThat(hive.isGone("a")).isTrue();
        assertNothingLeft(hive, "b");
    }

    /**
     * The starts that the executor had held came while the shutdown was at the first of its workers, which has none.
     */
    @Test
    void startsThatComeInTheMiddleOfAShutdownAreEndedByIt() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        VirtualHive holding = hive(builder -> builder.blocking(held::add));
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ids.add(holding.spawnReady());
        }
        ids.forEach(id -> holding.processes.exit(id, 1));
        holding.advanceSeconds(1);
        on(holding, WorkerEvent.Stopping.class, stopping -> runHeld());

        CompletableFuture<ShutdownReport> report = shutdown(holding);
        holding.advanceSeconds(60);

        assertThat(holding.processes.starts()).as("three and then two").isEqualTo(5);
        assertThat(report).isCompletedWithValue(new ShutdownReport(2, 0, 2, 0, 0));
        assertThat(holding.registry.list()).isEmpty();
        assertThat(holding.processes.running()).isEmpty();
    }

    // --- the host puts a record of its own in the worker's place

    @Test
    void aRecordThatTheHostPutsInThePlaceOfAWorkerThatBacksOffIsLeftAlone() {
        String id = crashed(hive);

        WorkerInfo own = reregister(hive, id);
        hive.advanceSeconds(60);

        assertThat(hive.registry.get(id))
                .hasValueSatisfying(now -> assertThat(now.url()).isEqualTo(own.url()));
        assertThat(hive.processes.starts()).isEqualTo(1);
        assertThat(port.take()).isPositive();
    }

    @Test
    void suchARecordIsEndedByTheIdleTimeoutAsAnyOther() {
        VirtualHive idling = hive(builder -> builder.config(LifecycleConfig.builder()
                .idleTimeout(Duration.ofSeconds(30))
                .idleCheck(Duration.ofSeconds(1))
                .build()));
        String id = crashed(idling);

        reregister(idling, id);
        idling.advanceSeconds(60);

        assertNothingLeft(idling, id);
        assertThat(idling.registry.stats().ended(Exit.Cause.IDLE_TIMEOUT)).isEqualTo(1);
    }

    @Test
    void aWorkerThatCrashesAfterTheHostHasReplacedItsRecordLeavesTheNewOneAlone() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = ready(hive);
        hive.registry.remove(id);
        WorkerInfo own = reregister(hive, id);

        hive.processes.exit(id, 1);
        assertThat(port.take()).as("free at once").isPositive();
        hive.advanceSeconds(60);

        assertThat(hive.registry.get(id))
                .hasValueSatisfying(now -> assertThat(now.url()).isEqualTo(own.url()));
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    // --- an end, and something else in the middle of it

    @Test
    void whoeverHearsOfAnEndMaySpawnTheIdAndThePortAgain() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        VirtualHive hive = hive(builder -> builder.restart(RestartPolicy.never()));
        String id = ready(hive);
        on(hive, WorkerEvent.Removed.class, event -> hive.supervisor.spawn(withId(id)));

        hive.processes.exit(id, 1);

        assertThat(hive.worker(id).pid()).isPresent();
        assertThat(hive.processes.running()).hasSize(1);
    }

    @Test
    void whoeverHearsThatAWorkerIsNotRestartedMaySpawnTheIdAndThePortAgain() {
        String id = crashed(hive);
        on(hive, WorkerEvent.Removed.class, event -> hive.supervisor.spawn(withId(id)));

        hive.supervisor.stop(id);

        assertThat(hive.worker(id).pid()).isPresent();
        assertThat(hive.processes.running()).hasSize(1);
    }

    /** It did not know of a worker that had left its books, but whose record was still to be removed. */
    @Test
    void aShutdownWaitsForAnEndInTheMiddleOfWhichItBegins() throws InterruptedException {
        UnexpectedWarnings.expect("is gone: CRASHED");
        PortRange ports = PortRange.of(20_000, 20_100);
        VirtualHive hive =
                hive(builder -> builder.restart(RestartPolicy.never()).ports(ports));
        String id = hive.supervisor
                .spawn(WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("serve", "{port}")
                        .build())
                .id();
        CompletableFuture<ShutdownReport> report;
        Thread exit = new Thread(() -> hive.processes.exit(id, 1));

        synchronized (ports) { // it has left the books when it gives its port back
            exit.start();
            await().until(() -> exit.getState() == Thread.State.BLOCKED);
            report = shutdown(hive);
            assertThat(report).isNotDone();
        }

        exit.join();
        assertThat(report).isCompletedWithValue(new ShutdownReport(0, 0, 0, 0, 0));
        assertNothingLeft(hive, id);
    }

    // --- what is counted

    @Test
    void aForceKillOfAWorkerThatBacksOffCountsNoSecondEnd() {
        String id = crashed(hive);

        hive.supervisor.forceKill(id);
        hive.advanceSeconds(60);

        assertThat(hive.registry.stats().endedBy()).isEqualTo(Map.of(Exit.Cause.CRASHED, 1L));
    }

    // ---

    private static final WorkerSpec WITH_PORT = WorkerSpec.builder()
            .modelRef("tiny")
            .command("serve", "{port}")
            .slots(2)
            .build();

    private static WorkerSpec withId(String id) {
        return WorkerSpec.builder()
                .id(id)
                .modelRef("tiny")
                .command("serve", "{port}")
                .build();
    }

    private static String ready(VirtualHive hive) {
        String id = hive.supervisor.spawn(WITH_PORT).id();
        hive.supervisor.ready(id);
        return id;
    }

    /** A worker that backs off for a second. */
    private static String crashed(VirtualHive hive) {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = ready(hive);
        hive.processes.exit(id, 1);
        return id;
    }

    private static CompletableFuture<WorkerInfo> restart(VirtualHive hive, String id) {
        return hive.supervisor.restart(id).toCompletableFuture();
    }

    private static CompletableFuture<ExitStatus> stop(VirtualHive hive, String id) {
        return hive.supervisor.stop(id).toCompletableFuture();
    }

    private static CompletableFuture<ShutdownReport> shutdown(VirtualHive hive) {
        return hive.supervisor.shutdown(DEADLINE).toCompletableFuture();
    }

    private static WorkerInfo reregister(VirtualHive hive, String id) {
        hive.registry.remove(id);
        WorkerInfo own = WorkerInfo.builder()
                .id(id)
                .url("http://elsewhere")
                .modelRef("tiny")
                .state(new Idle())
                .startedAt(hive.time.instant())
                .build();
        hive.registry.register(own);
        return own;
    }

    /** Does something once, in the middle of what the next such event tells of. */
    private static <E extends WorkerEvent> void on(VirtualHive hive, Class<E> type, Consumer<E> reaction) {
        List<E> seen = new ArrayList<>();
        hive.registry.subscribe(
                event -> {
                    if (type.isInstance(event) && seen.isEmpty()) {
                        seen.add(type.cast(event));
                        reaction.accept(type.cast(event));
                    }
                },
                Runnable::run);
    }

    private void runHeld() {
        List<Runnable> all = List.copyOf(held);
        held.clear();
        all.forEach(Runnable::run);
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> assertFailed(CompletableFuture<?> stage) {
        assertThat(stage).isCompletedExceptionally();
        return assertThat(stage.handle((value, failure) -> failure).join());
    }

    private void assertNothingLeft(VirtualHive hive, String id) {
        assertThat(hive.isGone(id)).as("no record").isTrue();
        assertThat(hive.processes.running()).as("no process").isEmpty();
        assertThat(port.take()).as("the port is free").isPositive();
    }
}
