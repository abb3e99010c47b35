package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class StopTest {

    private final VirtualHive hive = new VirtualHive();

    @Test
    void aStopOfAnIdleWorkerIsImmediate() {
        String id = hive.spawnReady();

        CompletableFuture<ExitStatus> stopped = hive.stop(id);

        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(0));
        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "BecameReady", "StopStarted", "Removed");
        assertThat(hive.supervisor.recentExits())
                .singleElement()
                .extracting(Exit::cause)
                .isEqualTo(Exit.Cause.REQUESTED);
    }

    @Test
    void aLoadingWorkerCanBeStoppedToo() {
        String id = hive.spawnLoading();

        hive.supervisor.stop(id);

        assertThat(hive.isRemoved(id)).isTrue();
    }

    /** Regression: the worker was removed, and waiters counted it as one that would serve again. */
    @Test
    void aStopForARestartIsRefused() {
        String id = hive.spawnReady();
        WorkerInfo seen = hive.worker(id);

        assertThatThrownBy(() -> hive.supervisor.stop(id, StopReason.RESTART, Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("restart(id)");
        assertThatThrownBy(() -> hive.supervisor.stopIfUnchanged(seen, StopReason.RESTART))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("restart(id)");

        assertThat(hive.worker(id)).isEqualTo(seen);
    }

    @Test
    void aStopLetsOpenLeasesRunToTheirEnd() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);

        CompletableFuture<ExitStatus> stopped = hive.stop(id);
        hive.advanceSeconds(20);

        assertThat(hive.state(id)).isEqualTo(new Stopping(StopReason.REQUESTED));
        assertThat(hive.registry.tryAcquireFrom(id)).as("no new leases").isEmpty();
        assertThat(lease.isValid()).isTrue();
        assertThat(hive.exitOf(id)).isEmpty();
        lease.close();
        hive.advance(Duration.ofMillis(100));
        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(0));
    }

    @Test
    void anUnreleasedLeaseIsInvalidatedAtTheDrainTimeout() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);

        hive.supervisor.stop(id);
        hive.advance(Duration.ofMillis(29_900));
        assertThat(hive.exitOf(id)).isEmpty();
        hive.advance(Duration.ofMillis(200));

        assertThat(hive.exitOf(id)).isPresent();
        assertThat(lease.isValid()).isFalse();
        lease.close();
    }

    @Test
    void aWorkerThatIgnoresSigtermIsKilledAtTheEndOfItsGrace() {
        String id = hive.spawnReady();
        hive.processes.ignoreTerminate(id);

        CompletableFuture<ExitStatus> stopped = hive.stop(id);
        hive.advance(Duration.ofMillis(9_900));
        assertThat(hive.exitOf(id)).isEmpty();
        assertThat(hive.state(id)).isEqualTo(new Stopping(StopReason.REQUESTED));
        hive.advance(Duration.ofMillis(100));

        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(137));
        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void aForceKillWaitsForNothing() {
        String id = hive.spawnReady();
        hive.lease(id);
        hive.processes.ignoreTerminate(id);

        CompletableFuture<ExitStatus> killed = hive.forceKill(id);

        assertThat(killed).isCompletedWithValue(ExitStatus.requested(137));
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.FORCED);
    }

    @Test
    void aForceKillShortensADrainAndKeepsTheFirstReason() {
        String id = hive.spawnReady();
        hive.lease(id);
        CompletableFuture<ExitStatus> stopped = hive.stop(id);

        hive.supervisor.forceKill(id);

        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(137));
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.REQUESTED);
        assertThat(hive.heard.historyOf(id)).containsOnlyOnce("StopStarted");
    }

    @Test
    void aSecondStopDoesNotDelayTheFirst() {
        String id = hive.spawnReady();
        hive.processes.ignoreTerminate(id);
        hive.supervisor.stop(id);
        hive.advanceSeconds(9);

        hive.supervisor.stop(id);
        hive.advanceSeconds(1);

        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void aStopOfAnUnknownWorkerFails() {
        assertThat(hive.stop("unknown"))
                .isCompletedExceptionally()
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .withMessageContaining("unknown")
                .havingCause()
                .satisfies(
                        e -> assertThat(((NoSuchWorkerException) e).workerId()).isEqualTo("unknown"));
    }

    /** Only with fakes: a real process survives SIGKILL only while it hangs in the kernel. */
    @Test
    void anUnkillableProcessKeepsItsRecordAndPortUntilItExits() {
        UnexpectedWarnings.expect("process 1001 survived SIGKILL");
        PortPool ports = FreePorts.range(1);
        VirtualHive hive = new VirtualHive(builder -> builder.ports(ports));
        String id = hive.supervisor
                .spawn(WorkerSpec.builder().modelRef("tiny").command("serve").build())
                .id();
        hive.processes.ignoreKill(id);

        CompletableFuture<ExitStatus> killed = hive.forceKill(id);
        hive.advance(Duration.ofMillis(5_100));

        assertThat(killed)
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .withMessageContaining(id)
                .havingCause()
                .satisfies(e -> assertThat(((UnkillableException) e).workerId()).isEqualTo(id));
        assertThat(hive.state(id)).isEqualTo(new Stopping(StopReason.FORCED));
        assertThat(org.assertj.core.api.Assertions.catchThrowable(ports::acquire))
                .isInstanceOf(PortsExhaustedException.class);
        hive.processes.exit(id, 137);
        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(ports.acquire()).isPositive();
    }

    @Test
    void aWorkerThatExitsWhileItDrainsHasCrashed() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", exit code 3");
        String id = hive.spawnReady();
        hive.lease(id);
        hive.supervisor.stop(id);

        hive.processes.exit(id, 3);

        Exit exit = hive.supervisor.recentExits().get(0);
        assertThat(exit.cause()).isEqualTo(Exit.Cause.CRASHED);
        assertThat(exit.status()).isEqualTo(ExitStatus.unrequested(3));
        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void aStopRequestIsSentBeforeTheSignal() {
        List<WorkerInfo> asked = new ArrayList<>();
        VirtualHive hive = asking(asked, CompletableFuture.completedFuture(true));
        String id = hive.spawnReady();

        hive.supervisor.stop(id);

        assertThat(asked).singleElement().satisfies(worker -> {
            assertThat(worker.id()).isEqualTo(id);
            assertThat(worker.state()).isEqualTo(new Stopping(StopReason.REQUESTED));
        });
        assertThat(hive.exitOf(id)).as("no signal yet").isEmpty();
        hive.processes.exit(id, 0);
        assertThat(hive.supervisor.recentExits().get(0).status()).isEqualTo(ExitStatus.requested(0));
    }

    @Test
    void anAcceptedStopRequestIsFollowedByTheSignalAtHalfTheGrace() {
        VirtualHive hive = asking(new ArrayList<>(), CompletableFuture.completedFuture(true));
        String id = hive.spawnReady();
        hive.supervisor.stop(id);

        hive.advance(Duration.ofMillis(4_900));
        assertThat(hive.exitOf(id)).isEmpty();
        hive.advance(Duration.ofMillis(100));

        assertThat(hive.exitOf(id)).hasValue(ExitStatus.requested(0));
    }

    @Test
    void aDeclinedOrFailedStopRequestIsFollowedByTheSignalAtOnce() {
        for (CompletableFuture<Boolean> answer : List.of(
                CompletableFuture.completedFuture(false),
                CompletableFuture.<Boolean>failedFuture(new IllegalStateException("connection refused")))) {
            VirtualHive hive = asking(new ArrayList<>(), answer);
            String id = hive.spawnReady();

            hive.supervisor.stop(id);

            assertThat(hive.exitOf(id)).hasValue(ExitStatus.requested(0));
        }
    }

    @Test
    void aLateDeclineIsFollowedByTheSignalAtOnce() {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        VirtualHive hive = asking(new ArrayList<>(), answer);
        String id = hive.spawnReady();
        hive.supervisor.stop(id);
        hive.advanceSeconds(1);
        assertThat(hive.exitOf(id)).isEmpty();

        answer.complete(false);

        assertThat(hive.exitOf(id)).hasValue(ExitStatus.requested(0));
    }

    @Test
    void aStopRequestThatThrowsIsLoggedAndTheSignalFollows() {
        UnexpectedWarnings.expect("the stop request failed");
        VirtualHive hive = new VirtualHive(builder -> builder.stopRequest(worker -> {
            throw new AssertionError("broken");
        }));
        String id = hive.spawnReady();

        hive.supervisor.stop(id);

        assertThat(hive.exitOf(id)).hasValue(ExitStatus.requested(0));
    }

    /** Regression: the request was sent, and its answer not awaited. */
    @Test
    void anUnhealthyWorkerIsSignalledWithoutAStopRequest() {
        UnexpectedWarnings.expect(Warnings.THREE_CHECKS_FAILED);
        List<WorkerInfo> asked = new ArrayList<>();
        VirtualHive hive = asking(asked, new CompletableFuture<>());
        String id = hive.spawnReady();
        hive.probe.answer(id, HealthStatus.unhealthy("status 500"));

        while (hive.worker(id).failedHealthChecks() < 2) {
            hive.advanceSeconds(1);
        }
        hive.advanceSeconds(34);

        assertThat(hive.exitOf(id)).hasValue(ExitStatus.requested(0));
        assertThat(asked).isEmpty();
    }

    @Test
    void anIdleTimeoutSendsAStopRequest() {
        List<WorkerInfo> asked = new ArrayList<>();
        VirtualHive hive = new VirtualHive(builder -> builder.lifecycle(LifecycleConfig.builder()
                        .idleTimeout(Duration.ofMinutes(1))
                        .build())
                .stopRequest(worker -> {
                    asked.add(worker);
                    return new CompletableFuture<>();
                }));
        String id = hive.spawnReady();

        hive.advanceSeconds(61);

        assertThat(asked)
                .singleElement()
                .extracting(WorkerInfo::state)
                .isEqualTo(new Stopping(StopReason.IDLE_TIMEOUT));
        assertThat(hive.exitOf(id)).as("no signal yet").isEmpty();
    }

    private static VirtualHive asking(List<WorkerInfo> asked, CompletableFuture<Boolean> answer) {
        return new VirtualHive(builder -> builder.stopRequest(worker -> {
            asked.add(worker);
            return answer;
        }));
    }

    @Test
    void aWorkerWhoseRecordIsRemovedIsKilledWithinATick() {
        String id = hive.spawnReady();
        hive.processes.ignoreTerminate(id);

        hive.registry.remove(id);
        hive.advance(Duration.ofMillis(100));

        assertThat(hive.processes.running()).isEmpty();
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.DEREGISTERED);
    }

    @Test
    void aReplacedRecordIsNotChangedByTheOldProcess() {
        String id = hive.spawnReady();
        hive.registry.remove(id);
        WorkerInfo successor = WorkerInfo.builder()
                .id(id)
                .url("http://elsewhere")
                .modelRef("tiny")
                .state(new Idle())
                .startedAt(hive.time.instant())
                .build();
        hive.registry.register(successor);

        hive.advance(Duration.ofMillis(100));

        assertThat(hive.processes.running()).isEmpty();
        assertThat(hive.registry.get(id)).hasValue(successor);
    }

    /** Regression: no lease could release the slots, and every such stop took the whole drain timeout. */
    @Test
    void aWorkerSetToBusyWithoutALeaseDoesNotDrain() {
        String id = hive.spawnReady();
        hive.registry.updateState(id, new WorkerState.Busy());

        assertThat(hive.stop(id)).isCompletedWithValue(ExitStatus.requested(0));
    }

    /** Regression: a stop set the hive's record to Stopping, where it stayed. */
    @Test
    void aStopDoesNotChangeAReplacedRecord() {
        String id = hive.spawnReady();
        hive.registry.remove(id);
        hive.advance(Duration.ofMillis(1));
        WorkerInfo successor = WorkerInfo.builder()
                .id(id)
                .url("http://elsewhere")
                .modelRef("tiny")
                .state(new Idle())
                .startedAt(hive.time.instant())
                .build();
        hive.registry.register(successor);

        hive.supervisor.stop(id);

        assertThat(hive.processes.running()).isEmpty();
        assertThat(hive.registry.get(id)).hasValue(successor);
    }

    @Test
    void clearingTheRegistryTerminatesEveryProcess() {
        hive.spawnReady();
        hive.spawnLoading();

        hive.registry.clear();
        hive.advance(Duration.ofMillis(100));

        assertThat(hive.processes.running()).isEmpty();
    }
}
