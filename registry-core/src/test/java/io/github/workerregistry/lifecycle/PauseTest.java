package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The hive is paused: its clock continues and nothing runs. The clock here is virtual time plus the time paused. (That
 * the clock cannot jump with the wall clock is tested with the clock; a test cannot set the clock of its machine.)
 */
@ExtendWith(UnexpectedWarnings.class)
class PauseTest {

    private static final Duration TWO_MINUTES = Duration.ofMinutes(2);

    private final VirtualTime time = new VirtualTime();
    private Duration paused = Duration.ZERO;
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(() -> time.instant().plus(paused)).build();
    private final FakeProcessController processes = new FakeProcessController();

    private void pause() {
        pause(TWO_MINUTES);
    }

    private void pause(Duration howLong) {
        paused = paused.plus(howLong);
    }

    private WorkerSupervisor supervise(LifecycleConfig.Builder config) {
        return supervise(config, (worker, timeout) -> new CompletableFuture<>());
    }

    private WorkerSupervisor supervise(LifecycleConfig.Builder config, HealthProbe probe) {
        return WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .healthProbe(probe)
                .restartPolicy(RestartPolicy.never())
                .lifecycle(config.build())
                .build();
    }

    private static String spawnReady(WorkerSupervisor supervisor) {
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.reportReady(id);
        return id;
    }

    @Test
    void aPauseExtendsHeartbeatDeadlines() {
        UnexpectedWarnings.expect(Warnings.NO_HEARTBEAT);
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().healthInterval(Duration.ofHours(1)));
        String id = spawnReady(supervisor);
        registry.heartbeat(id);
        time.advance(Duration.ofSeconds(10));

        pause();
        time.advance(Duration.ofSeconds(4));
        assertThat(registry.get(id)).isPresent();
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aPauseExtendsThePendingProbe() {
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofSeconds(10)), (worker, timeout) -> answer);
        String id = spawnReady(supervisor);
        time.advance(Duration.ofMillis(11_100));

        pause();
        time.advance(Duration.ofMillis(100));
        answer.complete(HealthStatus.healthy());

        assertThat(registry.get(id).orElseThrow().failedHealthChecks()).isZero();
    }

    /** Regression: the pause was forgotten at the end of the tick, and every heartbeat was late by it. */
    @Test
    void aPauseDuringATickMissesNoHeartbeat() {
        WorkerSupervisor supervisor =
                supervise(LifecycleConfig.builder().healthInterval(Duration.ofSeconds(10)), (worker, timeout) -> {
                    paused = TWO_MINUTES; // once
                    return CompletableFuture.completedFuture(HealthStatus.healthy());
                });
        String id = spawnReady(supervisor);
        time.advance(Duration.ofMillis(8900));
        registry.heartbeat(id);

        time.advance(Duration.ofMillis(2300));

        assertThat(paused).isEqualTo(TWO_MINUTES);
        assertThat(registry.get(id)).isPresent();
    }

    /**
     * A probe that fails at once fails in the tick that sends it. Regression: if that tick was long, every other
     * failure was ignored.
     */
    @Test
    void aLongTickIsNotAPause() {
        UnexpectedWarnings.expect(Warnings.THREE_CHECKS_FAILED);
        WorkerSupervisor supervisor =
                supervise(LifecycleConfig.builder().healthInterval(Duration.ofSeconds(10)), (worker, timeout) -> {
                    pause(Duration.ofMillis(500)); // as if many were probed
                    return CompletableFuture.completedFuture(HealthStatus.unhealthy("no"));
                });
        String id = spawnReady(supervisor);

        time.advance(Duration.ofSeconds(40));

        assertThat(registry.get(id)).isEmpty();
    }

    /** A probe's own timer runs on during a pause, and expires before the next tick. */
    @Test
    void aProbeThatFailsRightAfterAPauseDoesNotCountButTheNextOneDoes() {
        List<CompletableFuture<HealthStatus>> answers = new ArrayList<>();
        WorkerSupervisor supervisor =
                supervise(LifecycleConfig.builder().healthInterval(Duration.ofSeconds(10)), (worker, timeout) -> {
                    answers.add(new CompletableFuture<>());
                    return answers.get(answers.size() - 1);
                });
        String id = spawnReady(supervisor);
        time.advance(Duration.ofMillis(11_100));

        pause();
        answers.get(0).complete(HealthStatus.unhealthy("timed out"));
        assertThat(registry.get(id).orElseThrow().failedHealthChecks()).isZero();
        time.advance(Duration.ofSeconds(12));
        answers.get(1).complete(HealthStatus.unhealthy("timed out"));

        assertThat(registry.get(id).orElseThrow().failedHealthChecks()).isEqualTo(1);
    }

    /** Regression: the second call came before a tick, counted the pause as drain time, and killed the process. */
    @Test
    void aStopRepeatedRightAfterAPauseKeepsItsDrainTimeout() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = spawnReady(supervisor);
        SlotLease lease = registry.tryAcquireFrom(id).orElseThrow();
        supervisor.stop(id);

        pause();
        supervisor.stop(id);
        time.advance(Duration.ofSeconds(29));
        assertThat(lease.isValid()).isTrue();
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aPauseDoesNotCountTowardsTheLoadStallTimeout() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS);
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        time.advance(Duration.ofSeconds(100));

        pause();
        time.advance(Duration.ofSeconds(19));
        assertThat(registry.get(id).orElseThrow().state()).isInstanceOf(Loading.class);
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    /** No probe was pending during the pause. */
    @Test
    void outputWrittenDuringAPauseIsProgress() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS);
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder(),
                (worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.unhealthy("loading")));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        time.advance(Duration.ofMillis(100_500));

        pause();
        processes.print(id, "loaded");
        time.advance(Duration.ofSeconds(119));
        assertThat(registry.get(id).orElseThrow().state()).isInstanceOf(Loading.class);
        time.advance(Duration.ofSeconds(3));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aPauseDoesNotCountTowardsTheLoadTimeout() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, "was not ready within PT1M30S");
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().loadTimeout(Duration.ofSeconds(90)));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        time.advance(Duration.ofSeconds(60));

        pause();
        time.advance(Duration.ofSeconds(29));
        assertThat(registry.get(id).orElseThrow().state()).isInstanceOf(Loading.class);
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aPauseDoesNotCountTowardsTheBusyTimeout() {
        UnexpectedWarnings.expect(Warnings.NO_LEASE_ACTIVITY);
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofHours(1)).busyTimeout(Duration.ofSeconds(90)));
        String id = spawnReady(supervisor);
        assertThat(registry.tryAcquireFrom(id)).isPresent();

        pause();
        time.advance(Duration.ofSeconds(89));
        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Busy());
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aPauseDoesNotCountTowardsTheIdleTimeout() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder()
                .healthInterval(Duration.ofHours(1))
                .idleTimeout(Duration.ofSeconds(60))
                .idleCheckInterval(Duration.ofSeconds(10)));
        String id = spawnReady(supervisor);

        time.advance(Duration.ofSeconds(30));
        pause();
        time.advance(Duration.ofSeconds(29));
        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Idle());
        time.advance(Duration.ofSeconds(11));

        assertThat(registry.get(id)).isEmpty();
    }

    /** Each is shorter than the period of the idle loop. */
    @Test
    void shortPausesAddUp() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().healthInterval(Duration.ofHours(1)));
        String id = spawnReady(supervisor);

        for (int i = 0; i < 3; i++) {
            time.advance(Duration.ofSeconds(60));
            pause(Duration.ofSeconds(50));
        }
        time.advance(Duration.ofSeconds(118));
        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Idle());
        time.advance(Duration.ofSeconds(70));

        assertThat(registry.get(id)).isEmpty();
    }

    /** Regression: the second pause came before a loop that was late for the first had run, and was not detected. */
    @Test
    void twoPausesOneTickApartMissNoHeartbeat() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().healthInterval(Duration.ofHours(1)));
        String id = spawnReady(supervisor);
        registry.heartbeat(id);
        time.advance(Duration.ofSeconds(1));

        pause();
        time.advance(Duration.ofMillis(100));
        pause();
        time.advance(Duration.ofMillis(100));

        assertThat(registry.get(id)).isPresent();
        assertThat(registry.stats().endedBy()).isEmpty();
    }

    @Test
    void twoPausesLongerThanTheBusyTimeoutDoNotCountTowardsIt() {
        UnexpectedWarnings.expect(Warnings.NO_LEASE_ACTIVITY);
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofHours(1)).busyTimeout(Duration.ofMinutes(10)));
        String id = spawnReady(supervisor);
        assertThat(registry.tryAcquireFrom(id)).isPresent();

        for (int i = 0; i < 2; i++) {
            time.advance(Duration.ofSeconds(5));
            pause(Duration.ofMinutes(11));
        }
        time.advance(Duration.ofSeconds(580));
        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Busy());
        time.advance(Duration.ofSeconds(20));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void twoPausesLongerThanTheIdleTimeoutDoNotCountTowardsIt() {
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofHours(1)).idleTimeout(Duration.ofMinutes(5)));
        String id = spawnReady(supervisor);

        for (int i = 0; i < 2; i++) {
            time.advance(Duration.ofSeconds(5));
            pause(Duration.ofMinutes(4));
        }
        time.advance(Duration.ofSeconds(130));

        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Idle());
    }

    /** The caller that holds the lease was paused as well. */
    @Test
    void aPauseDoesNotCountTowardsTheDrainTimeout() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = spawnReady(supervisor);
        SlotLease lease = registry.tryAcquireFrom(id).orElseThrow();
        supervisor.stop(id);
        time.advance(Duration.ofSeconds(5));

        pause();
        time.advance(Duration.ofSeconds(24));
        assertThat(lease.isValid()).isTrue();
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aPauseDoesNotCountTowardsTheStopGrace() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = spawnReady(supervisor);
        processes.ignoreTerminate(id);
        supervisor.stop(id);
        time.advance(Duration.ofSeconds(5));

        pause();
        time.advance(Duration.ofSeconds(4));
        assertThat(processes.running()).containsExactly(id);
        time.advance(Duration.ofSeconds(2));

        assertThat(processes.running()).isEmpty();
    }

    @Test
    void aLeaseReleasedAfterAPauseHasDrained() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = spawnReady(supervisor);
        SlotLease lease = registry.tryAcquireFrom(id).orElseThrow();
        CompletableFuture<ShutdownReport> report =
                supervisor.shutdown(Duration.ofSeconds(30)).toCompletableFuture();

        pause();
        time.advance(Duration.ofSeconds(1));
        lease.close();
        time.advance(Duration.ofSeconds(1));

        assertThat(report).isCompletedWithValue(new ShutdownReport(1, 1, 0, 0, 0));
    }

    @Test
    void aPauseDoesNotCountTowardsTheSuspicionTimeout() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED);
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofSeconds(1)).healthTimeout(Duration.ofSeconds(1)),
                (worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.unhealthy("no")));
        for (int i = 0; i < 4; i++) {
            spawnReady(supervisor);
        }
        time.advance(Duration.ofSeconds(10));
        assertThat(registry.stats().suspected()).isEqualTo(4);

        pause();
        time.advance(Duration.ofSeconds(45));

        assertThat(registry.stats().workers()).isEqualTo(4);
    }

    @Test
    void anExitDuringAPauseIsDetectedAtOnce() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        WorkerInfo worker = supervisor.spawn(VirtualHive.SPEC);

        pause();
        processes.exitUnnoticed(worker.id(), 1);
        time.advance(Duration.ofMillis(100));

        assertThat(registry.get(worker.id())).isEmpty();
    }

    @Test
    void everySecondTickOfALateSchedulerEvaluates() {
        List<Instant> evaluations = new ArrayList<>();
        List<Instant> lateTicks = new ArrayList<>();
        LoopSchedule loops = new LoopSchedule(
                registry.clock(),
                new PauseTracker(Duration.ofMillis(100), registry.clock().instant()));
        LoopRunner runner = new LoopRunner(loops, Duration.ofMillis(100), () -> false);
        loops.add("loop", Duration.ofMillis(100), new Tick() {
            @Override
            public void tick(Instant now) {
                evaluations.add(now);
            }

            @Override
            public void late(Instant now) {
                lateTicks.add(now);
            }
        });
        runner.start(time);

        for (int i = 0; i < 10; i++) {
            pause();
            time.advance(Duration.ofMillis(100));
        }

        assertThat(evaluations).hasSize(5);
        assertThat(lateTicks).hasSize(5);
    }
}
