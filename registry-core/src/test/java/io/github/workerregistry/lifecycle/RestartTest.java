package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class RestartTest {

    private static final Duration TICK = Duration.ofMillis(100);

    private final VirtualHive hive = VirtualHive.restarting();

    @Test
    void aCrashedWorkerIsStartedAgainAfterASecondUnderItsIdAndUrl() {
        UnexpectedWarnings.expect("is gone: CRASHED, signal 9");
        String id = hive.spawnReady();
        WorkerInfo before = hive.worker(id);

        hive.processes.exit(id, 137);

        assertThat(hive.state(id)).isInstanceOfSatisfying(BackingOff.class, backingOff -> {
            assertThat(backingOff.attempt()).isEqualTo(1);
            assertThat(backingOff.retryAt()).isEqualTo(hive.time.instant().plusSeconds(1));
            assertThat(backingOff.cause())
                    .isEqualTo(hive.supervisor.recentExits().get(0));
        });
        assertThat(hive.worker(id).pid()).isEmpty();
        hive.advance(Duration.ofMillis(900));
        assertThat(hive.processes.starts()).isEqualTo(1);
        hive.advance(TICK);

        WorkerInfo after = hive.worker(id);
        assertThat(after.state()).isInstanceOf(Loading.class);
        assertThat(after.url()).isEqualTo(before.url());
        assertThat(after.pid()).isPresent().isNotEqualTo(before.pid());
        assertThat(after.generation()).isEqualTo(before.generation() + 1);
        assertThat(after.restarts()).isEqualTo(1);
        assertThat(hive.heard.historyOf(id))
                .containsExactly("Registered", "BecameReady", "Crashed", "RestartScheduled", "Restarted");
    }

    /** It was started again with the values of the first generation. */
    @Test
    void placeholdersAreFilledAnewForEachGeneration() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.supervisor
                .spawn(WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("serve", "--run={generation}")
                        .url("http://fake/{generation}")
                        .build())
                .id();
        assertThat(hive.worker(id).url()).isEqualTo("http://fake/1");

        hive.processes.exit(id, 1);
        hive.advanceSeconds(2);

        assertThat(hive.processes.specOf(id).command()).containsExactly("serve", "--run=2");
        assertThat(hive.processes.specOf(id).environment()).containsEntry("WORKER_GENERATION", "2");
        assertThat(hive.worker(id).generation()).isEqualTo(2);
        assertThat(hive.worker(id).url()).isEqualTo("http://fake/2");
    }

    @Test
    void thePortStaysTheWorkersOverARestart() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        PortRange ports = FreePorts.range(1);
        VirtualHive hive = new VirtualHive(
                builder -> builder.restart(RestartPolicy.onFailure()).ports(ports));
        String id = hive.supervisor
                .spawn(WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("serve", "{port}")
                        .build())
                .id();

        hive.processes.exit(id, 1);
        assertThat(org.assertj.core.api.Assertions.catchThrowable(ports::take))
                .isInstanceOf(PortsExhaustedException.class);
        hive.advanceSeconds(2);

        assertThat(hive.worker(id).restarts()).isEqualTo(1);
        hive.supervisor.stop(id);
        assertThat(ports.take()).isPositive();
    }

    @Test
    void leasesOfTheOldGenerationAreVoid() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        SlotLease old = hive.lease(id);
        hive.processes.exit(id, 1);
        assertThat(old.isValid()).isFalse();
        hive.advanceSeconds(3);
        SlotLease fresh = hive.lease(id);

        old.close();

        assertThat(fresh.isValid()).isTrue();
        assertThat(hive.worker(id).slotsInUse()).isEqualTo(1);
    }

    @Test
    void afterFiveRestartsInTheWindowTheNextCrashIsACrashLoop() {
        UnexpectedWarnings.expect(
                "is gone: CRASHED", "is gone: CRASH_LOOP, the last time because of CRASHED, exit code 1");
        String id = hive.spawnReady();
        for (int restart = 1; restart <= 5; restart++) {
            hive.processes.exit(id, 1);
            hive.advanceSeconds(61);
            assertThat(hive.worker(id).restarts()).isEqualTo(restart);
            assertThat(hive.state(id)).isEqualTo(new Idle());
        }
        hive.processes.print(id, "no such layer");
        hive.processes.exit(id, 1);

        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.supervisor.recentExits()).last().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.CRASH_LOOP);
            assertThat(exit.output()).containsExactly("no such layer");
        });
        assertThat(hive.registry.stats().ended(Exit.Cause.CRASH_LOOP)).isEqualTo(1);
        hive.advanceSeconds(120);
        assertThat(hive.processes.running()).isEmpty();
    }

    /** The judge warns of each stall, but that there will be no further restart was told at INFO only. */
    @Test
    void aCrashLoopOfStalledLoadsIsWarned() {
        UnexpectedWarnings.expect(
                "is not ready after PT10S", "its load made no progress for PT10S", "is gone: CRASH_LOOP");
        VirtualHive hive = new VirtualHive(builder -> builder.restart(
                        RestartPolicy.builder().jitter(0).build())
                .config(VirtualHive.config().loadStall(Duration.ofSeconds(10)).build()));
        String id = hive.spawnLoading();

        hive.advance(Duration.ofMinutes(3));

        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.supervisor.recentExits())
                .extracting(Exit::cause)
                .hasSize(6)
                .containsOnlyOnce(Exit.Cause.CRASH_LOOP)
                .endsWith(Exit.Cause.CRASH_LOOP);
    }

    @Test
    void aWorkerThatCrashesSeldomIsRestartedForEver() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        for (int restart = 1; restart <= 30; restart++) {
            hive.advance(Duration.ofMinutes(3));
            hive.processes.exit(id, 1);
            hive.advanceSeconds(62);
            assertThat(hive.worker(id).restarts()).isEqualTo(restart);
        }
    }

    @Test
    void aStableTimeFromReadyToExitBeginsTheWaitsAnew() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);
        hive.advanceSeconds(3);
        hive.processes.exit(id, 1);
        assertThat(attempt(id)).isEqualTo(2);
        hive.advance(Duration.ofMinutes(11));

        hive.processes.exit(id, 1);

        assertThat(attempt(id)).isEqualTo(1);
    }

    /** Backing off, or loading, is no sign of health. */
    @Test
    void timeSpentLoadingIsNotStable() {
        UnexpectedWarnings.expect("is gone: CRASHED", "is not ready after PT10S");
        String id = hive.spawnLoading();
        hive.processes.exit(id, 1);
        hive.advanceSeconds(3);
        for (int minute = 0; minute < 20; minute++) {
            hive.processes.print(id, "loading");
            hive.advanceSeconds(60);
        }

        hive.processes.exit(id, 1);

        assertThat(attempt(id)).isEqualTo(2);
    }

    @Test
    void aRestartThatCannotBeStartedBacksOffAgainWithItsReason() {
        UnexpectedWarnings.expect("is gone: CRASHED", "is gone: START_FAILED");
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);
        hive.processes.failNextStart("no memory");

        hive.advanceSeconds(1);

        assertThat(attempt(id)).isEqualTo(2);
        Exit failed = hive.supervisor.recentExits().get(1);
        assertThat(failed.cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(failed.output()).singleElement().asString().contains("no memory");
        hive.advanceSeconds(3);
        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void aStopDuringBackoffCancelsTheRestart() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);

        assertThat(hive.supervisor.stop(id).toCompletableFuture()).isCompleted();

        assertThat(hive.isGone(id)).isTrue();
        hive.advanceSeconds(120);
        assertThat(hive.processes.starts()).isEqualTo(1);
        assertThat(hive.heard.historyOf(id)).endsWith("RestartScheduled", "Removed");
    }

    @Test
    void aRecordThatTheHostRemovesDuringBackoffIsNotRestartedAndItsPortIsFree() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        PortRange ports = FreePorts.range(1);
        VirtualHive hive = new VirtualHive(
                builder -> builder.restart(RestartPolicy.onFailure()).ports(ports));
        String id = hive.supervisor
                .spawn(WorkerSpec.builder().modelRef("tiny").command("serve").build())
                .id();
        hive.processes.exit(id, 1);

        hive.registry.remove(id);
        hive.advanceSeconds(5);

        assertThat(hive.processes.starts()).isEqualTo(1);
        assertThat(ports.take()).isPositive();
    }

    @Test
    void whatSomebodyAskedForIsNeverFollowedByARestart() {
        VirtualHive hive = new VirtualHive(builder -> builder.restart(RestartPolicy.always()));
        String stopped = hive.spawnReady();
        String killed = hive.spawnReady();
        hive.supervisor.stop(stopped);
        hive.supervisor.forceKill(killed);

        hive.advanceSeconds(120);

        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    @Test
    void aWorkerThatCrashesWhenTheHostHasSetItStoppingIsNotRestarted() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        hive.registry.updateState(id, new Stopping(Exit.Cause.REQUESTED));

        hive.processes.exit(id, 1);
        assertThat(hive.isGone(id)).isTrue();
        hive.advanceSeconds(60);

        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void aWorkerThatEndsWellIsRestartedOnlyUnderAlways() {
        String onFailure = hive.spawnReady();
        hive.processes.exit(onFailure, 0);
        assertThat(hive.isGone(onFailure)).isTrue();

        VirtualHive always = new VirtualHive(builder -> builder.restart(RestartPolicy.always()));
        String id = always.spawnReady();
        always.processes.exit(id, 0);

        assertThat(always.state(id)).isInstanceOf(BackingOff.class);
        assertThat(always.heard.historyOf(id)).doesNotContain("Crashed");
    }

    @Test
    void aWorkerGivenUpAsUnhealthyIsEndedFirstAndThenRestarted() {
        UnexpectedWarnings.allow("is not ready after PT10S"); // by the spread of its probes
        UnexpectedWarnings.expect("is given up after 3");
        String id = hive.spawnReady();
        hive.probe.answer(id, HealthStatus.unhealthy("status 500"));
        hive.advanceSeconds(100);
        hive.probe.answer(id, HealthStatus.healthy());
        hive.advanceSeconds(5);

        assertThat(hive.worker(id).restarts()).isEqualTo(1);
        assertThat(hive.worker(id).failedHealthChecks()).isZero();
        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.heard.historyOf(id))
                .containsSubsequence("Stopping", "Crashed", "RestartScheduled", "Restarted");
    }

    @Test
    void aStopOfAWorkerThatIsBeingEndedAsUnhealthyMeansNoRestart() {
        UnexpectedWarnings.expect("is given up after 3");
        VirtualHive hive = new VirtualHive(builder -> builder.restart(RestartPolicy.onFailure())
                .config(VirtualHive.config().stopGrace(Duration.ofSeconds(60)).build()));
        String id = hive.spawnReady();
        hive.processes.ignoreTerminate(id);
        hive.probe.answer(id, HealthStatus.unhealthy("status 500"));
        hive.advanceSeconds(100);
        assertThat(hive.state(id).label()).isEqualTo("stopping");

        hive.supervisor.stop(id);
        hive.advanceSeconds(120);

        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void anOperatorsRestartIsAtOnceAndNotCounted() {
        String id = hive.spawnReady();
        for (int i = 1; i <= 20; i++) {
            CompletableFuture<WorkerInfo> restarted =
                    hive.supervisor.restart(id).toCompletableFuture();
            hive.advance(TICK);
            assertThat(restarted).isCompleted();
            assertThat(restarted.join().restarts()).isEqualTo(i);
            hive.supervisor.ready(id);
        }
        assertThat(hive.heard.historyOf(id)).doesNotContain("Crashed");
        assertThat(hive.supervisor.recentExits()).extracting(Exit::cause).containsOnly(Exit.Cause.RESTART);
    }

    @Test
    void anOperatorsRestartDrainsAndAStopMeanwhileWins() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);
        CompletableFuture<WorkerInfo> restarted = hive.supervisor.restart(id).toCompletableFuture();
        hive.advanceSeconds(5);
        assertThat(lease.isValid()).isTrue();

        hive.supervisor.stop(id);
        lease.close();
        hive.advanceSeconds(5);

        assertThat(hive.isGone(id)).isTrue();
        assertThat(restarted).isCompletedExceptionally();
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void anOperatorsRestartOfAWorkerThatBacksOffDoesNotWait() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);

        CompletableFuture<WorkerInfo> restarted = hive.supervisor.restart(id).toCompletableFuture();
        hive.time.runDueTasks();

        assertThat(restarted).isCompleted();
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
    }

    @Test
    void whoeverWaitsForAWorkerThatDiesWhileItLoadsGetsTheCauseAtOnce() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnLoading();
        CompletableFuture<WorkerInfo> ready = hive.supervisor.whenReady(id).toCompletableFuture();
        hive.processes.print(id, "out of memory");

        hive.processes.exit(id, 1);

        assertThat(ready)
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .havingCause()
                .isInstanceOfSatisfying(
                        WorkerEndedException.class,
                        ended -> assertThat(ended.exit().output()).containsExactly("out of memory"));
    }

    /** It came wrapped in a CompletionException, though no other stage of ours does that. */
    @Test
    void theCauseIsTheVeryExceptionAlsoForACallBack() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnLoading();
        AtomicReference<Throwable> heard = new AtomicReference<>();
        var unused = hive.supervisor.whenReady(id).whenComplete((ready, failure) -> heard.set(failure));

        hive.processes.exit(id, 1);

        assertThat(heard.get()).isInstanceOf(WorkerEndedException.class);
    }

    @Test
    void whoeverWaitsForAWorkerThatBecomesReadyGetsIt() {
        String byCallBack = hive.spawnLoading();
        CompletableFuture<WorkerInfo> ready =
                hive.supervisor.whenReady(byCallBack).toCompletableFuture();
        assertThat(ready).isNotDone();
        hive.supervisor.ready(byCallBack);
        assertThat(ready.join().state()).isEqualTo(new Idle());

        String byHost = hive.spawnLoading();
        CompletableFuture<WorkerInfo> reported =
                hive.supervisor.whenReady(byHost).toCompletableFuture();
        hive.registry.updateState(byHost, new Idle());
        hive.advance(TICK);
        assertThat(reported).isCompleted();
    }

    /** Its generation alone was compared, and that of most workers is 1. */
    @Test
    void whoeverWaitsForAWorkerIsNotGivenTheOneThatTheHostHasPutInItsPlace() {
        String id = hive.spawnLoading();
        CompletableFuture<WorkerInfo> ready = hive.supervisor.whenReady(id).toCompletableFuture();
        WorkerInfo own = hive.registry.remove(id).orElseThrow();
        hive.registry.register(WorkerInfo.builder()
                .id(id)
                .url("http://elsewhere")
                .modelRef(own.modelRef())
                .startedAt(hive.time.instant())
                .build());

        assertThat(hive.supervisor.ready(id)).isTrue();

        assertThat(ready).isNotDone();
        hive.advance(TICK);
        assertThat(ready).isCompletedExceptionally();
        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void aShutdownDuringBackoffCancelsTheRestart() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);

        CompletableFuture<ShutdownReport> report =
                hive.supervisor.shutdown(Duration.ofSeconds(5)).toCompletableFuture();
        hive.advanceSeconds(10);

        assertThat(report).isCompleted();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void aWorkerThatKeepsNoTimeBetweenCrashesStillHasItsCrashesTold() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);
        hive.advanceSeconds(3);
        hive.processes.exit(id, 1);

        assertThat(hive.heard.eventsOf(id).stream().filter(WorkerEvent.Crashed.class::isInstance))
                .hasSize(2);
        assertThat(hive.registry.stats().crashed()).isEqualTo(2);
    }

    private int attempt(String id) {
        return ((BackingOff) hive.state(id)).attempt();
    }
}
