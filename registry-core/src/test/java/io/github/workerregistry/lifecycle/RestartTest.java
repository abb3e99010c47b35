package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.StopReason;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Restarts after an exit: when they come, how many there are, and what they keep. */
@ExtendWith(UnexpectedWarnings.class)
class RestartTest {

    private static final Duration TICK = Duration.ofMillis(100);

    private final VirtualHive hive = VirtualHive.restarting();

    @Test
    void aCrashedWorkerIsRestartedAfterASecondWithItsIdAndUrl() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 9");
        String id = hive.spawnReady();
        WorkerInfo before = hive.worker(id);

        hive.processes.exit(id, 137);

        assertThat(hive.state(id)).isInstanceOfSatisfying(BackingOff.class, backingOff -> {
            assertThat(backingOff.attempt()).isEqualTo(1);
            assertThat(backingOff.retryAt()).isEqualTo(hive.time.instant().plusSeconds(1));
            assertThat(backingOff.exit())
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

    /** Regression: it was restarted with the values of the first generation. */
    @Test
    void placeholdersAreFilledForEachGeneration() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
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
    void aRestartKeepsThePort() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        PortPool ports = FreePorts.range(1);
        VirtualHive hive = new VirtualHive(
                builder -> builder.restartPolicy(RestartPolicy.onFailure()).ports(ports));
        String id = hive.supervisor
                .spawn(WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("serve", "{port}")
                        .build())
                .id();

        hive.processes.exit(id, 1);
        assertThat(catchThrowable(ports::acquire)).isInstanceOf(PortsExhaustedException.class);
        hive.advanceSeconds(2);

        assertThat(hive.worker(id).restarts()).isEqualTo(1);
        hive.supervisor.stop(id);
        assertThat(ports.acquire()).isPositive();
    }

    @Test
    void leasesOfTheOldGenerationAreInvalid() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
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
                Warnings.CRASHED, Warnings.CRASH_LOOP + ", the last time because of CRASHED, exit code 1");
        String id = hive.spawnReady();
        for (int restart = 1; restart <= 5; restart++) {
            hive.processes.exit(id, 1);
            hive.advanceSeconds(61);
            assertThat(hive.worker(id).restarts()).isEqualTo(restart);
            assertThat(hive.state(id)).isEqualTo(new Idle());
        }
        hive.processes.print(id, "no such layer");
        hive.processes.exit(id, 1);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.recentExits()).last().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.CRASH_LOOP);
            assertThat(exit.output()).containsExactly("no such layer");
        });
        assertThat(hive.registry.stats().ended(Exit.Cause.CRASH_LOOP)).isEqualTo(1);
        hive.advanceSeconds(120);
        assertThat(hive.processes.running()).isEmpty();
    }

    /** Regression: each stall was logged as a warning, but the crash loop at INFO only. */
    @Test
    void aCrashLoopOfStalledLoadsIsLogged() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS + " for PT10S", Warnings.CRASH_LOOP);
        VirtualHive hive = new VirtualHive(builder -> builder.restartPolicy(
                        RestartPolicy.builder().jitter(0).build())
                .lifecycle(VirtualHive.config()
                        .loadStallTimeout(Duration.ofSeconds(10))
                        .build()));
        String id = hive.spawnLoading();

        hive.advance(Duration.ofMinutes(3));

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.recentExits())
                .extracting(Exit::cause)
                .hasSize(6)
                .containsOnlyOnce(Exit.Cause.CRASH_LOOP)
                .endsWith(Exit.Cause.CRASH_LOOP);
    }

    @Test
    void aWorkerThatCrashesRarelyIsRestartedWithoutLimit() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();
        for (int restart = 1; restart <= 30; restart++) {
            hive.advance(Duration.ofMinutes(3));
            hive.processes.exit(id, 1);
            hive.advanceSeconds(62);
            assertThat(hive.worker(id).restarts()).isEqualTo(restart);
        }
    }

    @Test
    void aStableTimeFromReadyToExitResetsTheDelay() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);
        hive.advanceSeconds(3);
        hive.processes.exit(id, 1);
        assertThat(hive.attempt(id)).isEqualTo(2);
        hive.advance(Duration.ofMinutes(11));

        hive.processes.exit(id, 1);

        assertThat(hive.attempt(id)).isEqualTo(1);
    }

    /** Neither backoff nor loading counts as stable. */
    @Test
    void timeSpentLoadingIsNotStable() {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.NOT_READY);
        String id = hive.spawnLoading();
        hive.processes.exit(id, 1);
        hive.advanceSeconds(3);
        for (int minute = 0; minute < 20; minute++) {
            hive.processes.print(id, "loading");
            hive.advanceSeconds(60);
        }

        hive.processes.exit(id, 1);

        assertThat(hive.attempt(id)).isEqualTo(2);
    }

    @Test
    void aFailedRestartBacksOffAgainWithItsReason() {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.START_FAILED);
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);
        hive.processes.failNextStart("no memory");

        hive.advanceSeconds(1);

        assertThat(hive.attempt(id)).isEqualTo(2);
        Exit failed = hive.supervisor.recentExits().get(1);
        assertThat(failed.cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(failed.output()).singleElement().asString().contains("no memory");
        hive.advanceSeconds(3);
        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void aStopDuringBackoffCancelsTheRestart() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);

        assertThat(hive.stop(id)).isCompleted();

        assertThat(hive.isRemoved(id)).isTrue();
        hive.advanceSeconds(120);
        assertThat(hive.processes.starts()).isEqualTo(1);
        assertThat(hive.heard.historyOf(id)).endsWith("RestartScheduled", "Removed");
    }

    @Test
    void aRecordRemovedDuringBackoffIsNotRestartedAndItsPortIsFree() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        PortPool ports = FreePorts.range(1);
        VirtualHive hive = new VirtualHive(
                builder -> builder.restartPolicy(RestartPolicy.onFailure()).ports(ports));
        String id = hive.supervisor
                .spawn(WorkerSpec.builder().modelRef("tiny").command("serve").build())
                .id();
        hive.processes.exit(id, 1);

        hive.registry.remove(id);
        hive.advanceSeconds(5);

        assertThat(hive.processes.starts()).isEqualTo(1);
        assertThat(ports.acquire()).isPositive();
    }

    @Test
    void aRequestedExitIsNotRestarted() {
        VirtualHive hive = new VirtualHive(builder -> builder.restartPolicy(RestartPolicy.always()));
        String stopped = hive.spawnReady();
        String killed = hive.spawnReady();
        hive.supervisor.stop(stopped);
        hive.supervisor.forceKill(killed);

        hive.advanceSeconds(120);

        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.starts()).isEqualTo(2);
    }

    @Test
    void aWorkerSetToStoppingIsNotRestartedAfterACrash() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();
        hive.registry.updateState(id, new Stopping(StopReason.REQUESTED));

        hive.processes.exit(id, 1);
        assertThat(hive.isRemoved(id)).isTrue();
        hive.advanceSeconds(60);

        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void exitCodeZeroIsRestartedUnderPolicyAlwaysOnly() {
        String onFailure = hive.spawnReady();
        hive.processes.exit(onFailure, 0);
        assertThat(hive.isRemoved(onFailure)).isTrue();

        VirtualHive always = new VirtualHive(builder -> builder.restartPolicy(RestartPolicy.always()));
        String id = always.spawnReady();
        always.processes.exit(id, 0);

        assertThat(always.state(id)).isInstanceOf(BackingOff.class);
        assertThat(always.heard.historyOf(id)).doesNotContain("Crashed");
    }

    @Test
    void anUnhealthyWorkerIsStoppedAndThenRestarted() {
        UnexpectedWarnings.allow(Warnings.NOT_READY); // by the spread of its probes
        UnexpectedWarnings.expect(Warnings.STOPPED + "UNHEALTHY, 3");
        String id = hive.spawnReady();
        hive.probe.answer(id, HealthStatus.unhealthy("status 500"));
        hive.advanceSeconds(100);
        hive.probe.answer(id, HealthStatus.healthy());
        hive.advanceSeconds(5);

        assertThat(hive.worker(id).restarts()).isEqualTo(1);
        assertThat(hive.worker(id).failedHealthChecks()).isZero();
        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.heard.historyOf(id))
                .containsSubsequence("StopStarted", "Crashed", "RestartScheduled", "Restarted");
    }

    @Test
    void aStopOfAnUnhealthyWorkerThatIsBeingStoppedCancelsTheRestart() {
        UnexpectedWarnings.expect(Warnings.STOPPED + "UNHEALTHY, 3");
        VirtualHive hive = new VirtualHive(builder -> builder.restartPolicy(RestartPolicy.onFailure())
                .lifecycle(
                        VirtualHive.config().stopGrace(Duration.ofSeconds(60)).build()));
        String id = hive.spawnReady();
        hive.processes.ignoreTerminate(id);
        hive.probe.answer(id, HealthStatus.unhealthy("status 500"));
        hive.advanceSeconds(100);
        assertThat(hive.state(id).label()).isEqualTo("stopping");

        hive.supervisor.stop(id);
        hive.advanceSeconds(120);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void aShutdownDuringBackoffCancelsTheRestart() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);

        CompletableFuture<ShutdownReport> report = hive.shutdown(Duration.ofSeconds(5));
        hive.advanceSeconds(10);

        assertThat(report).isCompleted();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void consecutiveCrashesAreReportedEach() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);
        hive.advanceSeconds(3);
        hive.processes.exit(id, 1);

        assertThat(hive.heard.eventsOf(id).stream().filter(WorkerEvent.Crashed.class::isInstance))
                .hasSize(2);
        assertThat(hive.registry.stats().crashed()).isEqualTo(2);
    }
}
