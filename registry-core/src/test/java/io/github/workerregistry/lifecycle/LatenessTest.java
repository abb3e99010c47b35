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
 * The hive is suspended: its clock goes on and nothing runs. The clock here is virtual time plus the time spent
 * suspended. (That the clock cannot jump with the wall clock is tested where the clock is; a test cannot set the clock
 * of its machine.)
 */
@ExtendWith(UnexpectedWarnings.class)
class LatenessTest {

    private static final Duration TWO_MINUTES = Duration.ofMinutes(2);

    private final VirtualTime time = new VirtualTime();
    private Duration suspended = Duration.ZERO;
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(() -> time.instant().plus(suspended)).build();
    private final FakeProcessController processes = new FakeProcessController();

    private void suspend() {
        suspend(TWO_MINUTES);
    }

    private void suspend(Duration howLong) {
        suspended = suspended.plus(howLong);
    }

    private WorkerSupervisor supervise(LifecycleConfig.Builder config) {
        return supervise(config, (worker, timeout) -> new CompletableFuture<>());
    }

    private WorkerSupervisor supervise(LifecycleConfig.Builder config, HealthProbe probe) {
        return WorkerSupervisor.builder(registry, time)
                .processes(processes)
                .health(probe)
                .restart(RestartPolicy.never())
                .config(config.build())
                .build();
    }

    @Test
    void heartbeatDeadlinesAreExtendedByTheTimeSuspended() {
        UnexpectedWarnings.expect("no heartbeat");
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().healthInterval(Duration.ofHours(1)));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        registry.heartbeat(id);
        time.advance(Duration.ofSeconds(10));

        suspend();
        time.advance(Duration.ofSeconds(4));
        assertThat(registry.get(id)).isPresent();
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aProbeInFlightHasItsTimeAfterTheSuspension() {
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofSeconds(10)), (worker, timeout) -> answer);
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        time.advance(Duration.ofMillis(11_100));

        suspend();
        time.advance(Duration.ofMillis(100));
        answer.complete(HealthStatus.healthy());

        assertThat(registry.get(id).orElseThrow().failedHealthChecks()).isZero();
    }

    /** It was forgotten when the round was over, and then all were silent for as long as it had lasted. */
    @Test
    void aSuspensionInTheMiddleOfARoundMissesNoHeartbeat() {
        WorkerSupervisor supervisor =
                supervise(LifecycleConfig.builder().healthInterval(Duration.ofSeconds(10)), (worker, timeout) -> {
                    suspended = TWO_MINUTES; // once
                    return CompletableFuture.completedFuture(HealthStatus.healthy());
                });
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        time.advance(Duration.ofMillis(8900));
        registry.heartbeat(id);

        time.advance(Duration.ofMillis(2300));

        assertThat(suspended).isEqualTo(TWO_MINUTES);
        assertThat(registry.get(id)).isPresent();
    }

    /** What fails at once, fails in the round that asks. If that takes long, every other failure was excused. */
    @Test
    void aLongRoundIsNoExcuse() {
        UnexpectedWarnings.expect("given up after 3 failed health checks");
        WorkerSupervisor supervisor =
                supervise(LifecycleConfig.builder().healthInterval(Duration.ofSeconds(10)), (worker, timeout) -> {
                    suspend(Duration.ofMillis(500)); // or so it looks, if many are asked
                    return CompletableFuture.completedFuture(HealthStatus.unhealthy("no"));
                });
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);

        time.advance(Duration.ofSeconds(40));

        assertThat(registry.get(id)).isEmpty();
    }

    /** A probe's own timer runs on while we are suspended, and fires before we can look at anything. */
    @Test
    void aProbeThatFailsAsWeWakeUpIsNoEvidenceButTheNextOneIs() {
        List<CompletableFuture<HealthStatus>> answers = new ArrayList<>();
        WorkerSupervisor supervisor =
                supervise(LifecycleConfig.builder().healthInterval(Duration.ofSeconds(10)), (worker, timeout) -> {
                    answers.add(new CompletableFuture<>());
                    return answers.get(answers.size() - 1);
                });
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        time.advance(Duration.ofMillis(11_100));

        suspend();
        answers.get(0).complete(HealthStatus.unhealthy("timed out"));
        assertThat(registry.get(id).orElseThrow().failedHealthChecks()).isZero();
        time.advance(Duration.ofSeconds(12));
        answers.get(1).complete(HealthStatus.unhealthy("timed out"));

        assertThat(registry.get(id).orElseThrow().failedHealthChecks()).isEqualTo(1);
    }

    /** The second call came before a round of ours: it took the time asleep for time that had passed, and killed. */
    @Test
    void aStopThatIsRepeatedAsWeWakeUpStillHasItsTimeToDrain() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        SlotLease lease = registry.tryAcquireFrom(id).orElseThrow();
        supervisor.stop(id);

        suspend();
        supervisor.stop(id);
        time.advance(Duration.ofSeconds(29));
        assertThat(lease.isValid()).isTrue();
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aSuspensionDoesNotCountTowardsTheLoadStall() {
        UnexpectedWarnings.expect("is not ready after PT10S", "made no progress");
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        time.advance(Duration.ofSeconds(100));

        suspend();
        time.advance(Duration.ofSeconds(19));
        assertThat(registry.get(id).orElseThrow().state()).isInstanceOf(Loading.class);
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    /** It was suspended while no probe was open. */
    @Test
    void whatAWorkerWroteDuringASuspensionIsProgress() {
        UnexpectedWarnings.expect("is not ready after PT10S", "made no progress");
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder(),
                (worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.unhealthy("loading")));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        time.advance(Duration.ofMillis(100_500));

        suspend();
        processes.print(id, "loaded");
        time.advance(Duration.ofSeconds(119));
        assertThat(registry.get(id).orElseThrow().state()).isInstanceOf(Loading.class);
        time.advance(Duration.ofSeconds(3));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aSuspensionDoesNotCountTowardsTheLoadTimeout() {
        UnexpectedWarnings.expect("is not ready after PT10S", "was not ready within PT1M30S");
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().loadTimeout(Duration.ofSeconds(90)));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        time.advance(Duration.ofSeconds(60));

        suspend();
        time.advance(Duration.ofSeconds(29));
        assertThat(registry.get(id).orElseThrow().state()).isInstanceOf(Loading.class);
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aSuspensionDoesNotCountTowardsTheBusyLimit() {
        UnexpectedWarnings.expect("nothing moved");
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofHours(1)).busyLimit(Duration.ofSeconds(90)));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        assertThat(registry.tryAcquireFrom(id)).isPresent();

        suspend();
        time.advance(Duration.ofSeconds(89));
        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Busy());
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aSuspensionDoesNotCountTowardsTheIdleTimeout() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder()
                .healthInterval(Duration.ofHours(1))
                .idleTimeout(Duration.ofSeconds(60))
                .idleCheck(Duration.ofSeconds(10)));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);

        time.advance(Duration.ofSeconds(30));
        suspend();
        time.advance(Duration.ofSeconds(29));
        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Idle());
        time.advance(Duration.ofSeconds(11));

        assertThat(registry.get(id)).isEmpty();
    }

    /** Each is shorter than the period of the idle loop, and both count. */
    @Test
    void shortSuspensionsAddUp() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().healthInterval(Duration.ofHours(1)));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);

        for (int i = 0; i < 3; i++) {
            time.advance(Duration.ofSeconds(60));
            suspend(Duration.ofSeconds(50));
        }
        time.advance(Duration.ofSeconds(118));
        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Idle());
        time.advance(Duration.ofSeconds(70));

        assertThat(registry.get(id)).isEmpty();
    }

    /** The second came before a loop that was late for the first could run on time: there its guard was down. */
    @Test
    void twoSuspensionsOneRoundApartMissNoHeartbeat() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().healthInterval(Duration.ofHours(1)));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        registry.heartbeat(id);
        time.advance(Duration.ofSeconds(1));

        suspend();
        time.advance(Duration.ofMillis(100));
        suspend();
        time.advance(Duration.ofMillis(100));

        assertThat(registry.get(id)).isPresent();
        assertThat(registry.stats().endedBy()).isEmpty();
    }

    @Test
    void twoSuspensionsEachLongerThanTheBusyLimitDoNotCountTowardsIt() {
        UnexpectedWarnings.expect("nothing moved");
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofHours(1)).busyLimit(Duration.ofMinutes(10)));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        assertThat(registry.tryAcquireFrom(id)).isPresent();

        for (int i = 0; i < 2; i++) {
            time.advance(Duration.ofSeconds(5));
            suspend(Duration.ofMinutes(11));
        }
        time.advance(Duration.ofSeconds(580));
        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Busy());
        time.advance(Duration.ofSeconds(20));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void twoSuspensionsThatAddUpToMoreThanTheIdleTimeoutDoNotCountTowardsIt() {
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofHours(1)).idleTimeout(Duration.ofMinutes(5)));
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);

        for (int i = 0; i < 2; i++) {
            time.advance(Duration.ofSeconds(5));
            suspend(Duration.ofMinutes(4));
        }
        time.advance(Duration.ofSeconds(130));

        assertThat(registry.get(id).orElseThrow().state()).isEqualTo(new Idle());
    }

    /** Whoever is to give the lease back was away as well. */
    @Test
    void aSuspensionDoesNotCountTowardsTheDrain() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        SlotLease lease = registry.tryAcquireFrom(id).orElseThrow();
        supervisor.stop(id);
        time.advance(Duration.ofSeconds(5));

        suspend();
        time.advance(Duration.ofSeconds(24));
        assertThat(lease.isValid()).isTrue();
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aSuspensionDoesNotCountTowardsTheGraceOfAStop() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        processes.ignoreTerminate(id);
        supervisor.stop(id);
        time.advance(Duration.ofSeconds(5));

        suspend();
        time.advance(Duration.ofSeconds(4));
        assertThat(processes.running()).containsExactly(id);
        time.advance(Duration.ofSeconds(2));

        assertThat(processes.running()).isEmpty();
    }

    @Test
    void aLeaseGivenBackAfterTheSuspensionHasDrained() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
        SlotLease lease = registry.tryAcquireFrom(id).orElseThrow();
        CompletableFuture<ShutdownReport> report =
                supervisor.shutdown(Duration.ofSeconds(30)).toCompletableFuture();

        suspend();
        time.advance(Duration.ofSeconds(1));
        lease.close();
        time.advance(Duration.ofSeconds(1));

        assertThat(report).isCompletedWithValue(new ShutdownReport(1, 1, 0, 0, 0));
    }

    @Test
    void suspicionIsNotOverSoonerForASuspension() {
        UnexpectedWarnings.expect("under suspicion");
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder().healthInterval(Duration.ofSeconds(1)).healthTimeout(Duration.ofSeconds(1)),
                (worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.unhealthy("no")));
        for (int i = 0; i < 4; i++) {
            supervisor.ready(supervisor.spawn(VirtualHive.SPEC).id());
        }
        time.advance(Duration.ofSeconds(10));
        assertThat(registry.stats().suspected()).isEqualTo(4);

        suspend();
        time.advance(Duration.ofSeconds(45));

        assertThat(registry.stats().workers()).isEqualTo(4);
    }

    @Test
    void aWorkerThatReallyDiedMeanwhileIsFoundAtOnce() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        WorkerInfo worker = supervisor.spawn(VirtualHive.SPEC);

        suspend();
        processes.exitUnnoticed(worker.id(), 1);
        time.advance(Duration.ofMillis(100));

        assertThat(registry.get(worker.id())).isEmpty();
    }

    @Test
    void aSchedulerThatIsAlwaysLateStillGivesVerdictsEveryOtherRound() {
        List<Instant> verdicts = new ArrayList<>();
        List<Instant> lateRounds = new ArrayList<>();
        Loops loops = new Loops(
                registry.clock(),
                new Presence(Duration.ofMillis(100), registry.clock().instant()));
        LoopRunner runner = new LoopRunner(loops, Duration.ofMillis(100), () -> false);
        loops.add("loop", Duration.ofMillis(100), new Tick() {
            @Override
            public void tick(Instant now) {
                verdicts.add(now);
            }

            @Override
            public void late(Instant now) {
                lateRounds.add(now);
            }
        });
        runner.start(time);

        for (int i = 0; i < 10; i++) {
            suspend();
            time.advance(Duration.ofMillis(100));
        }

        assertThat(verdicts).hasSize(5);
        assertThat(lateRounds).hasSize(5);
    }
}
