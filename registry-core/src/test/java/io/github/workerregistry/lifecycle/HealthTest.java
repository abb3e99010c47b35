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
import io.github.workerregistry.WorkerState.Loading;
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

@ExtendWith(UnexpectedWarnings.class)
class HealthTest {

    private static final HealthStatus ILL = HealthStatus.unhealthy("status 500");

    private final VirtualHive hive = new VirtualHive();

    @Test
    void theFirstHealthyProbeMakesALoadingWorkerReady() {
        UnexpectedWarnings.expect("is not ready after PT10S: its last health check said: loading");
        String id = hive.spawnLoading();
        hive.advanceSeconds(10);
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        assertThat(hive.worker(id).failedHealthChecks()).isZero();

        hive.probe.answerAll(HealthStatus.healthy());
        hive.advance(Duration.ofMillis(1100));

        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "BecameReady");
    }

    @Test
    void whoeverWaitsForALoadHearsOfTheFirstHealthyAnswerAtOnce() {
        List<CompletableFuture<HealthStatus>> answers = new ArrayList<>();
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) -> {
            answers.add(new CompletableFuture<>());
            return answers.get(answers.size() - 1);
        }));
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();
        CompletableFuture<WorkerInfo> ready = hive.supervisor.whenReady(id).toCompletableFuture();
        hive.advanceSeconds(1);

        answers.get(0).complete(HealthStatus.healthy());

        assertThat(ready).isCompletedWithValue(hive.worker(id));
        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    /** It failed by its timeout, and was counted against whoever had the id by then. */
    @Test
    void aProbeUnderWayIsNotHeldAgainstWhoComesUnderTheSameId() {
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

    /** The answer itself may come when the next round has not seen yet that the worker is another. */
    @Test
    void anAnswerForAWorkerThatHasGoneIsNotHeldAgainstWhoComesUnderTheSameId() {
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        AtomicInteger asked = new AtomicInteger();
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) -> {
            asked.incrementAndGet();
            return answer;
        }));
        String id = hive.spawnReady();
        while (asked.get() == 0) {
            hive.advance(Duration.ofMillis(100));
        }

        hive.supervisor.forceKill(id);
        hive.spawnReady(id);
        answer.complete(ILL);

        assertThat(hive.worker(id).failedHealthChecks()).isZero();
    }

    @Test
    void readinessIsProbedAfter250MillisThenAtDoublingIntervalsUpToASecond() {
        String id = hive.spawnLoading();
        List<Integer> probes = new ArrayList<>();
        for (int tick = 1; tick <= 50; tick++) {
            hive.advance(Duration.ofMillis(100));
            while (probes.size() < hive.probe.probes(id)) {
                probes.add(tick * 100);
            }
        }
        assertThat(probes).as("rounded up to sweeps").containsExactly(300, 800, 1800, 2800, 3800, 4800);
    }

    @Test
    void theCallBackMakesALoadingWorkerReadyBeforeAnyProbe() {
        String id = hive.spawnLoading();

        assertThat(hive.supervisor.ready(id)).isTrue();

        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.supervisor.ready(id))
                .as("a second call-back changes nothing")
                .isTrue();
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "BecameReady");
    }

    @Test
    void aCallBackOfABusyWorkerLeavesItsLeasesAlone() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);

        assertThat(hive.supervisor.ready(id)).isTrue();

        assertThat(hive.state(id)).isEqualTo(new Busy());
        assertThat(lease.isValid()).isTrue();
    }

    @Test
    void nobodyUnknownOrStoppingCanBeReady() {
        String id = hive.spawnReady();
        hive.processes.ignoreTerminate(id);
        hive.supervisor.stop(id);

        assertThat(hive.supervisor.ready(id)).isFalse();
        assertThat(hive.supervisor.ready("nobody")).isFalse();
    }

    @Test
    void threeFailedChecksInARowEndTheProcessAndThenDropTheRecord() {
        UnexpectedWarnings.expect("is given up after 3 failed health checks: status 500");
        VirtualHive hive = VirtualHive.with(config -> config.stopGrace(Duration.ofSeconds(30)));
        String id = hive.spawnReady();
        hive.processes.ignoreTerminate(id);
        hive.probe.answer(id, ILL);

        hive.advanceSeconds(67);
        assertThat(hive.worker(id).failedHealthChecks()).isEqualTo(2);
        hive.advanceSeconds(33);
        assertThat(hive.worker(id).state().label())
                .as("the record stays while the process does")
                .isEqualTo("stopping");
        hive.advanceSeconds(30);

        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.exitOf(id)).hasValue(ExitStatus.requested(137));
        assertThat(hive.heard.historyOf(id))
                .containsExactly(
                        "Registered",
                        "BecameReady",
                        "HealthCheckFailed",
                        "HealthCheckFailed",
                        "HealthCheckFailed",
                        "Stopping",
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
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) ->
                CompletableFuture.completedFuture(probes.incrementAndGet() % 3 == 0 ? HealthStatus.healthy() : ILL)));
        String id = hive.spawnReady();

        hive.advanceSeconds(600);

        assertThat(probes).hasValueGreaterThan(15);
        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.heard.historyOf(id)).contains("HealthCheckFailed");
    }

    /** The original stamped the last activity at each passed check, so its idle timeout never fired. */
    @Test
    void aPassedCheckMovesNeitherLastActivityNorState() {
        String id = hive.spawnReady();
        WorkerInfo before = hive.worker(id);

        hive.advanceSeconds(300);

        assertThat(hive.probe.probes(id)).isBetween(8, 12);
        assertThat(hive.worker(id)).isEqualTo(before);
    }

    @Test
    void aHungProbeCountsAsFailedWhenItsTimeIsOver() {
        UnexpectedWarnings.expect("no answer within PT5S");
        String id = hive.spawnReady();
        hive.probe.hang(id);

        hive.advanceSeconds(120);

        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.UNHEALTHY);
    }

    @Test
    void aHungProbeIsCancelledWhenItsTimeIsOverToTheSweep() {
        CompletableFuture<HealthStatus> hung = new CompletableFuture<>();
        AtomicReference<Instant> asked = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) -> {
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
    void theProbeOfAWorkerThatHasGoneIsCancelled() {
        CompletableFuture<HealthStatus> hung = new CompletableFuture<>();
        AtomicReference<WorkerInfo> asked = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) -> {
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
        AtomicReference<VirtualHive> probed = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) -> {
            waits.add(Duration.between(start.get(), probed.get().time.instant()));
            return CompletableFuture.completedFuture(HealthStatus.healthy());
        }));
        probed.set(hive);
        start.set(hive.time.instant());
        for (int i = 0; i < 100; i++) {
            hive.spawnReady();
        }

        hive.advanceSeconds(34);

        assertThat(waits).hasSize(100).allMatch(wait -> wait.compareTo(Duration.ofSeconds(27)) >= 0);
        Duration spread = Collections.max(waits).minus(Collections.min(waits));
        assertThat(spread)
                .as("3 s and a sweep to each side")
                .isBetween(Duration.ofSeconds(3), Duration.ofMillis(6_200));
        assertThat(Collections.max(waits)).isLessThanOrEqualTo(Duration.ofMillis(33_100));
    }

    @Test
    void oneHungWorkerDelaysNoOther() {
        String hung = hive.spawnReady();
        String well = hive.spawnReady();
        hive.probe.hang(hung);

        hive.advanceSeconds(34);

        assertThat(hive.probe.probes(hung)).isEqualTo(1);
        assertThat(hive.probe.probes(well)).isEqualTo(1);
        assertThat(hive.worker(well).failedHealthChecks()).isZero();
    }

    @Test
    void probesOfOneWorkerNeverOverlapAndAnAnswerInTimeCountsOnce() {
        AtomicReference<CompletableFuture<HealthStatus>> answer = new AtomicReference<>(new CompletableFuture<>());
        HealthProbe slow = (worker, timeout) -> answer.get();
        VirtualHive hive = new VirtualHive(builder -> builder.health(slow)
                .config(VirtualHive.config()
                        .healthInterval(Duration.ofSeconds(10))
                        .build()));
        String id = hive.spawnReady();
        hive.advance(Duration.ofMillis(11_100));

        answer.get().complete(ILL);
        answer.get().complete(ILL);
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
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) -> late));
        String id = hive.spawnReady();
        hive.advanceSeconds(39);
        assertThat(hive.worker(id).failedHealthChecks()).isEqualTo(1);

        late.complete(HealthStatus.healthy());

        assertThat(hive.worker(id).failedHealthChecks()).isEqualTo(1);
    }

    @Test
    void aBusyWorkerIsNotKilledForFailedChecks() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);
        hive.probe.answer(id, ILL);

        hive.advanceSeconds(600);

        assertThat(hive.probe.probes(id)).isPositive();
        assertThat(hive.state(id)).isEqualTo(new Busy());
        assertThat(hive.worker(id).failedHealthChecks()).isZero();
        lease.close();
    }

    @Test
    void aWorkerThatFoundWorkWhileItWasProbedIsNotKilled() {
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) -> answer)
                .config(VirtualHive.config()
                        .failureThreshold(1)
                        .healthTimeout(Duration.ofSeconds(30))
                        .build()));
        String id = hive.spawnReady();
        hive.advance(Duration.ofMillis(33_100));
        SlotLease lease = hive.lease(id);

        answer.complete(ILL);

        assertThat(hive.state(id)).isEqualTo(new Busy());
        assertThat(lease.isValid()).isTrue();
    }

    /** And nobody says that it is given up. */
    @Test
    void aWorkerThatFindsWorkAtTheMomentOfItsVerdictIsNotKilled() {
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        VirtualHive hive = new VirtualHive(builder -> builder.health((worker, timeout) -> answer)
                .config(VirtualHive.config()
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

        answer.complete(ILL);

        assertThat(leases).singleElement().matches(SlotLease::isValid);
        assertThat(hive.state(id)).isEqualTo(new Busy());
    }

    @Test
    void aProbeThatFailsItselfIsNoEvidenceAgainstAnybody() {
        UnexpectedWarnings.expect("no verdict");
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
        VirtualHive hive = new VirtualHive(builder -> builder.health(broken));
        String id = hive.spawnReady();

        hive.advanceSeconds(600);

        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.worker(id).failedHealthChecks()).isZero();
    }

    @Test
    void aWorkerThatTheHostRegisteredIsProbedTooAndItsRecordIsDropped() {
        UnexpectedWarnings.expect("is given up after 3 failed health checks");
        Instant now = hive.time.instant();
        hive.registry.register(WorkerInfo.builder()
                .id("hosts")
                .url("http://elsewhere")
                .modelRef("m")
                .state(new Idle())
                .startedAt(now)
                .build());
        hive.probe.answer("hosts", ILL);

        hive.advanceSeconds(100);

        assertThat(hive.isGone("hosts")).isTrue();
        assertThat(hive.heard.historyOf("hosts")).endsWith("Stopping", "Removed");
    }

    @Test
    void aSlowLoadThatMovesIsNotKilledAndASilentOneIs() {
        UnexpectedWarnings.expect("is not ready after PT10S", "its load made no progress for PT2M");
        String id = hive.spawnLoading();
        for (int minute = 0; minute < 30; minute++) {
            hive.advanceSeconds(60);
            hive.processes.print(id, "loaded " + minute + " of 30");
        }
        assertThat(hive.state(id)).isInstanceOf(Loading.class);

        hive.advanceSeconds(120); // from when the output was looked at
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.advanceSeconds(1);

        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.supervisor.recentExits()).singleElement().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.LOAD_STALL);
            assertThat(exit.output()).last().isEqualTo("loaded 29 of 30");
        });
    }
}
