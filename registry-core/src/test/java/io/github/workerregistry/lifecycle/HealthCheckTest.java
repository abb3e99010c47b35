package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Health checks of ready workers: when they are made, what counts as failed, and what follows. */
@ExtendWith(UnexpectedWarnings.class)
class HealthCheckTest {

    private static final HealthStatus UNHEALTHY = HealthStatus.unhealthy("status 500");

    private final VirtualHive hive = new VirtualHive();

    /** Regression: it timed out, and counted for the next worker with the id. */
    @Test
    void aPendingProbeDoesNotCountForTheNextIncarnation() {
        String id = hive.spawnReady();
        hive.probe.hang(id);
        while (hive.probe.probes(id) == 0) {
            hive.advance(Duration.ofMillis(100));
        }

        hive.supervisor.forceKill(id);
        hive.probe.answer(id, HealthStatus.healthy());
        hive.spawnReady(id);
        hive.advanceSeconds(10);

        assertThat(hive.worker(id).failedHealthChecks()).isZero();
    }

    /** The answer may come before the next tick has detected the new incarnation. */
    @Test
    void aLateAnswerDoesNotCountForTheNextIncarnation() {
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        AtomicInteger asked = new AtomicInteger();
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe((worker, timeout) -> {
            asked.incrementAndGet();
            return answer;
        }));
        String id = hive.spawnReady();
        while (asked.get() == 0) {
            hive.advance(Duration.ofMillis(100));
        }

        hive.supervisor.forceKill(id);
        hive.spawnReady(id);
        answer.complete(UNHEALTHY);

        assertThat(hive.worker(id).failedHealthChecks()).isZero();
    }

    @Test
    void threeConsecutiveFailedChecksTerminateTheProcessAndThenRemoveTheRecord() {
        UnexpectedWarnings.expect(Warnings.THREE_CHECKS_FAILED + ": status 500");
        VirtualHive hive = VirtualHive.with(config -> config.stopGrace(Duration.ofSeconds(30)));
        String id = hive.spawnReady();
        hive.processes.ignoreTerminate(id);
        hive.probe.answer(id, UNHEALTHY);

        hive.advanceSeconds(67);
        assertThat(hive.worker(id).failedHealthChecks()).isEqualTo(2);
        hive.advanceSeconds(33);
        assertThat(hive.worker(id).state().label())
                .as("the record stays while the process does")
                .isEqualTo("stopping");
        hive.advanceSeconds(30);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.exitOf(id)).hasValue(ExitStatus.requested(137));
        assertThat(hive.heard.historyOf(id))
                .containsExactly(
                        "Registered",
                        "BecameReady",
                        "HealthCheckFailed",
                        "HealthCheckFailed",
                        "HealthCheckFailed",
                        "StopStarted",
                        "Crashed",
                        "Removed");
        assertThat(hive.supervisor.recentExits())
                .singleElement()
                .extracting(Exit::cause, Exit::workerId)
                .containsExactly(Exit.Cause.UNHEALTHY, id);
    }

    @Test
    void oneHealthyAnswerResetsTheCount() {
        AtomicInteger probes = new AtomicInteger();
        VirtualHive hive =
                new VirtualHive(builder -> builder.healthProbe((worker, timeout) -> CompletableFuture.completedFuture(
                        probes.incrementAndGet() % 3 == 0 ? HealthStatus.healthy() : UNHEALTHY)));
        String id = hive.spawnReady();

        hive.advanceSeconds(600);

        assertThat(probes).hasValueGreaterThan(15);
        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.heard.historyOf(id)).contains("HealthCheckFailed");
    }

    /** The original updated the last activity at each passed check, so its idle timeout never fired. */
    @Test
    void aPassedCheckChangesNeitherLastActivityNorState() {
        String id = hive.spawnReady();
        WorkerInfo before = hive.worker(id);

        hive.advanceSeconds(300);

        assertThat(hive.probe.probes(id)).isBetween(8, 12);
        assertThat(hive.worker(id)).isEqualTo(before);
    }

    @Test
    void aHungProbeFailsAtItsTimeout() {
        UnexpectedWarnings.expect("no answer within PT5S");
        String id = hive.spawnReady();
        hive.probe.hang(id);

        hive.advanceSeconds(120);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.UNHEALTHY);
    }

    @Test
    void aHungProbeIsCancelledByTheTickOfItsTimeout() {
        CompletableFuture<HealthStatus> hung = new CompletableFuture<>();
        AtomicReference<Instant> asked = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe((worker, timeout) -> {
            asked.set(worker.startedAt());
            return hung;
        }));
        String id = hive.spawnReady();
        while (asked.get() == null) {
            hive.advance(Duration.ofMillis(100));
        }

        hive.advance(Duration.ofMillis(4_900));
        assertThat(hung).isNotDone();
        assertThat(hive.worker(id).failedHealthChecks()).isZero();
        hive.advance(Duration.ofMillis(100));

        assertThat(hung).isCancelled();
        assertThat(hive.worker(id).failedHealthChecks()).isEqualTo(1);
    }

    @Test
    void theProbeOfARemovedWorkerIsCancelled() {
        CompletableFuture<HealthStatus> hung = new CompletableFuture<>();
        AtomicReference<WorkerInfo> asked = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe((worker, timeout) -> {
            asked.set(worker);
            return hung;
        }));
        String id = hive.spawnReady();
        while (asked.get() == null) {
            hive.advance(Duration.ofMillis(100));
        }

        hive.supervisor.forceKill(id);
        hive.advance(Duration.ofMillis(100));

        assertThat(hung).isCancelled();
    }

    @Test
    void healthChecksOfWorkersThatStartedTogetherAreSpreadByATenthOfTheirInterval() {
        List<Duration> waits = new ArrayList<>();
        AtomicReference<Instant> start = new AtomicReference<>();
        VirtualHive hive = new VirtualHive((self, builder) -> builder.healthProbe((worker, timeout) -> {
            waits.add(Duration.between(start.get(), self.time.instant()));
            return CompletableFuture.completedFuture(HealthStatus.healthy());
        }));
        start.set(hive.time.instant());
        for (int i = 0; i < 100; i++) {
            hive.spawnReady();
        }

        hive.advanceSeconds(34);

        assertThat(waits).hasSize(100).allMatch(wait -> wait.compareTo(Duration.ofSeconds(27)) >= 0);
        Duration spread = Collections.max(waits).minus(Collections.min(waits));
        assertThat(spread).as("3 s and a tick to each side").isBetween(Duration.ofSeconds(3), Duration.ofMillis(6_200));
        assertThat(Collections.max(waits)).isLessThanOrEqualTo(Duration.ofMillis(33_100));
    }

    @Test
    void oneHungWorkerDelaysNoOther() {
        String hung = hive.spawnReady();
        String healthy = hive.spawnReady();
        hive.probe.hang(hung);

        hive.advanceSeconds(34);

        assertThat(hive.probe.probes(hung)).isEqualTo(1);
        assertThat(hive.probe.probes(healthy)).isEqualTo(1);
        assertThat(hive.worker(healthy).failedHealthChecks()).isZero();
    }

    @Test
    void probesOfOneWorkerNeverOverlapAndAnAnswerInTimeCountsOnce() {
        AtomicReference<CompletableFuture<HealthStatus>> answer = new AtomicReference<>(new CompletableFuture<>());
        HealthProbe slow = (worker, timeout) -> answer.get();
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe(slow)
                .lifecycle(VirtualHive.config()
                        .healthInterval(Duration.ofSeconds(10))
                        .build()));
        String id = hive.spawnReady();
        hive.advance(Duration.ofMillis(11_100));

        answer.get().complete(UNHEALTHY);
        answer.get().complete(UNHEALTHY);
        answer.set(CompletableFuture.completedFuture(HealthStatus.healthy()));

        assertThat(hive.worker(id).failedHealthChecks()).isEqualTo(1);
        hive.advanceSeconds(11);
        assertThat(hive.worker(id).failedHealthChecks()).isZero();
    }

    @Test
    void aLateAnswerOfAProbeThatTimedOutIsDropped() {
        CompletableFuture<HealthStatus> late = new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterruptIfRunning) {
                return false; // a probe that cannot be cancelled
            }
        };
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe((worker, timeout) -> late));
        String id = hive.spawnReady();
        hive.advanceSeconds(39);
        assertThat(hive.worker(id).failedHealthChecks()).isEqualTo(1);

        late.complete(HealthStatus.healthy());

        assertThat(hive.worker(id).failedHealthChecks()).isEqualTo(1);
    }

    @Test
    void aBusyWorkerIsNotStoppedForFailedChecks() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);
        hive.probe.answer(id, UNHEALTHY);

        hive.advanceSeconds(600);

        assertThat(hive.probe.probes(id)).isPositive();
        assertThat(hive.state(id)).isEqualTo(new Busy());
        assertThat(hive.worker(id).failedHealthChecks()).isZero();
        lease.close();
    }

    @Test
    void aWorkerLeasedDuringItsProbeIsNotStopped() {
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe((worker, timeout) -> answer)
                .lifecycle(VirtualHive.config()
                        .failureThreshold(1)
                        .healthTimeout(Duration.ofSeconds(30))
                        .build()));
        String id = hive.spawnReady();
        hive.advance(Duration.ofMillis(33_100));
        SlotLease lease = hive.lease(id);

        answer.complete(UNHEALTHY);

        assertThat(hive.state(id)).isEqualTo(new Busy());
        assertThat(lease.isValid()).isTrue();
    }

    /** Nothing is logged. */
    @Test
    void aWorkerLeasedWhileItsProbeIsEvaluatedIsNotStopped() {
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe((worker, timeout) -> answer)
                .lifecycle(VirtualHive.config()
                        .failureThreshold(1)
                        .healthTimeout(Duration.ofSeconds(30))
                        .build()));
        String id = hive.spawnReady();
        hive.advance(Duration.ofMillis(33_100));
        List<SlotLease> leases = new ArrayList<>();
        hive.registry.subscribe(
                event -> {
                    if (event instanceof WorkerEvent.HealthCheckFailed) {
                        leases.add(hive.lease(id));
                    }
                },
                Runnable::run);

        answer.complete(UNHEALTHY);

        assertThat(leases).singleElement().matches(SlotLease::isValid);
        assertThat(hive.state(id)).isEqualTo(new Busy());
    }

    @Test
    void aProbeThatThrowsIsNoFailedCheck() {
        UnexpectedWarnings.expect(Warnings.NO_RESULT);
        HealthProbe broken = new HealthProbe() {
            private int calls;

            @Override
            public CompletableFuture<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
                return switch (calls++ % 4) {
                    case 0 -> throw new IllegalStateException("broken");
                    case 1 -> throw new AssertionError("broken");
                    case 2 -> null;
                    default -> CompletableFuture.failedFuture(new IllegalStateException("broken"));
                };
            }
        };
        VirtualHive hive = new VirtualHive(builder -> builder.healthProbe(broken));
        String id = hive.spawnReady();

        hive.advanceSeconds(600);

        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.worker(id).failedHealthChecks()).isZero();
    }

    @Test
    void aRegisteredWorkerIsProbedAndItsRecordIsRemoved() {
        UnexpectedWarnings.expect(Warnings.THREE_CHECKS_FAILED);
        hive.register("own", new Idle());
        hive.probe.answer("own", UNHEALTHY);

        hive.advanceSeconds(100);

        assertThat(hive.isRemoved("own")).isTrue();
        assertThat(hive.heard.historyOf("own")).endsWith("StopStarted", "Removed");
    }
}
