package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A worker whose spec has rules of its own, beside one that has the supervisor's. */
@ExtendWith(UnexpectedWarnings.class)
class OwnRulesTest {

    private static final String OWN = "own";
    private static final String OTHER = "other";

    private static WorkerSpec spec(String id, UnaryOperator<WorkerSpec.Builder> rules) {
        return rules.apply(VirtualHive.SPEC.toBuilder().id(id)).build();
    }

    private static UnaryOperator<WorkerSpec.Builder> lifecycle(UnaryOperator<LifecycleConfig.Builder> settings) {
        return spec -> spec.lifecycle(settings.apply(VirtualHive.config()).build());
    }

    /** Spawns both workers. */
    private static VirtualHive spawn(VirtualHive hive, UnaryOperator<WorkerSpec.Builder> rules) {
        hive.supervisor.spawn(spec(OTHER, UnaryOperator.identity()));
        hive.supervisor.spawn(spec(OWN, rules));
        return hive;
    }

    private static VirtualHive ready(VirtualHive hive, UnaryOperator<WorkerSpec.Builder> rules) {
        spawn(hive, rules);
        hive.supervisor.reportReady(OTHER);
        hive.supervisor.reportReady(OWN);
        return hive;
    }

    private static VirtualHive ready(UnaryOperator<LifecycleConfig.Builder> settings) {
        return ready(new VirtualHive(), lifecycle(settings));
    }

    private static List<Cause> causes(VirtualHive hive) {
        return hive.supervisor.recentExits().stream().map(Exit::cause).toList();
    }

    // ---- idle and busy ----

    @Test
    void idleTimeoutOfFiveSecondsIsKeptBesideAWorkerWithoutOne() {
        VirtualHive hive = ready(config -> config.idleTimeout(Duration.ofSeconds(5)));

        hive.advance(Duration.ofMillis(4_900));
        assertThat(hive.state(OWN)).isEqualTo(new Idle());
        hive.advance(Duration.ofMillis(1_300));

        assertThat(hive.isRemoved(OWN)).isTrue();
        assertThat(hive.state(OTHER)).isEqualTo(new Idle());
    }

    /** It is spawned long before the next search that the supervisor's rules ask for. */
    @Test
    void idleTimeoutOfFiveSecondsIsKeptBesideWorkersThatMayIdleForAnHour() {
        VirtualHive hive = VirtualHive.with(config -> config.idleTimeout(Duration.ofHours(1)));
        hive.spawnReady();
        hive.advanceSeconds(61);
        ready(hive, lifecycle(config -> config.idleTimeout(Duration.ofSeconds(5))));

        hive.advance(Duration.ofMillis(6_200));

        assertThat(hive.isRemoved(OWN)).isTrue();
        assertThat(hive.registry.list()).hasSize(2);
    }

    @Test
    void workerMayIdleWithoutLimitThoughTheOthersMayNot() {
        VirtualHive hive = ready(
                VirtualHive.with(config -> config.idleTimeout(Duration.ofSeconds(5))), lifecycle(config -> config));

        hive.advanceSeconds(3_600);

        assertThat(hive.isRemoved(OTHER)).isTrue();
        assertThat(hive.state(OWN)).isEqualTo(new Idle());
    }

    @Test
    void busyTimeoutIsItsOwn() {
        UnexpectedWarnings.expect(Warnings.NO_LEASE_ACTIVITY + " for PT10S");
        VirtualHive hive = ready(config -> config.busyTimeout(Duration.ofSeconds(10)));
        hive.lease(OWN);
        hive.lease(OTHER);

        hive.advanceSeconds(12);

        assertThat(hive.isRemoved(OWN)).isTrue();
        assertThat(hive.state(OTHER)).isEqualTo(new Busy());
    }

    // ---- loads ----

    @Test
    void loadTimeoutsAreItsOwn() {
        UnexpectedWarnings.expect(
                Warnings.NOT_READY, Warnings.NO_PROGRESS + " for PT20S", "it was not ready within PT1M");
        VirtualHive hive = new VirtualHive();
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));
        spawn(hive, lifecycle(config -> config.loadStallTimeout(Duration.ofSeconds(20))));
        hive.supervisor.spawn(spec("limited", lifecycle(config -> config.loadTimeout(Duration.ofMinutes(1)))));

        hive.advanceSeconds(22);
        assertThat(hive.isRemoved(OWN)).isTrue();
        hive.advanceSeconds(40);

        assertThat(hive.isRemoved("limited")).isTrue();
        assertThat(hive.state(OTHER)).isInstanceOf(Loading.class);
        assertThat(causes(hive)).containsExactly(Cause.LOAD_STALL, Cause.LOAD_TIMEOUT);
    }

    @Test
    void readyIntervalIsItsOwn() {
        VirtualHive hive = spawn(new VirtualHive(), lifecycle(config -> config.readyInterval(Duration.ofSeconds(30))));

        hive.advanceSeconds(5);
        assertThat(hive.state(OTHER)).isEqualTo(new Idle());
        assertThat(hive.state(OWN)).isInstanceOf(Loading.class);
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        hive.advanceSeconds(26);

        assertThat(hive.state(OWN)).isEqualTo(new Idle());
    }

    // ---- health ----

    @Test
    void ownProbeIsAskedInPlaceOfTheSupervisors() {
        ScriptedHealthProbe own = new ScriptedHealthProbe();
        VirtualHive hive = spawn(new VirtualHive(), spec -> spec.healthProbe(own));

        hive.advanceSeconds(60);

        assertThat(hive.state(OWN)).isEqualTo(new Idle());
        assertThat(own.probes(OWN)).isGreaterThan(1);
        assertThat(own.probes(OTHER)).isZero();
        assertThat(hive.probe.probes(OWN)).isZero();
        assertThat(hive.probe.probes(OTHER)).isGreaterThan(1);
    }

    /** A supervisor without a probe and without a stop request. */
    private static WorkerSupervisor plain(VirtualHive hive) {
        return WorkerSupervisor.builder(hive.registry, hive.time)
                .processController(hive.processes)
                .restartPolicy(RestartPolicy.never())
                .lifecycle(VirtualHive.config()
                        .loadStallTimeout(Duration.ofHours(1))
                        .build())
                .build();
    }

    @Test
    void ownProbeWorksUnderASupervisorWithoutOne() {
        UnexpectedWarnings.expect("no health probe is set", Warnings.THREE_CHECKS_FAILED + ": wrong");
        ScriptedHealthProbe own = new ScriptedHealthProbe();
        VirtualHive hive = new VirtualHive();
        try (WorkerSupervisor plain = plain(hive)) {
            plain.spawn(spec(OTHER, UnaryOperator.identity()));
            plain.spawn(spec(OWN, spec -> spec.healthProbe(own)));
            hive.advanceSeconds(2);
            assertThat(hive.state(OWN)).isEqualTo(new Idle());

            own.answerAll(HealthStatus.unhealthy("wrong"));
            hive.advanceSeconds(120);

            assertThat(hive.isRemoved(OWN)).isTrue();
            assertThat(hive.state(OTHER)).isInstanceOf(Loading.class);
            assertThat(own.probes(OTHER)).isZero();
        }
    }

    /** Workers that are not probed are none that could fail with it. */
    @Test
    void workersWithoutAProbeDoNotCountAsHealthyInAMassFailure() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED);
        ScriptedHealthProbe own = new ScriptedHealthProbe();
        VirtualHive hive = new VirtualHive();
        try (WorkerSupervisor plain = plain(hive)) {
            Stream.of("a", "b", "c").forEach(id -> plain.spawn(spec(id, spec -> spec.healthProbe(own))));
            Stream.of("d", "e", "f", "g").forEach(id -> {
                plain.spawn(spec(id, UnaryOperator.identity()));
                plain.reportReady(id);
            });
            hive.advanceSeconds(2);

            own.answerAll(HealthStatus.unhealthy("wrong"));
            hive.advanceSeconds(110);

            assertThat(hive.registry.list())
                    .hasSize(7)
                    .filteredOn(worker -> worker.suspected())
                    .extracting(worker -> worker.id())
                    .containsExactly("a", "b", "c");
        }
    }

    /** The decision waits for others, but by its own pace: theirs may be much slower. */
    @Test
    void healthIntervalAndFailureThresholdAreItsOwn() {
        UnexpectedWarnings.expect("health checks failed in a row");
        VirtualHive hive = VirtualHive.with(config -> config.healthInterval(Duration.ofHours(1)));
        Stream.of("a", "b", "c").forEach(hive::spawnReady);
        ready(
                hive,
                lifecycle(config -> config.healthInterval(Duration.ofSeconds(2)).failureThreshold(2)));
        hive.probe.answerAll(HealthStatus.unhealthy("wrong"));

        hive.advanceSeconds(12);

        assertThat(hive.isRemoved(OWN)).isTrue();
        assertThat(hive.registry.list()).hasSize(4);
    }

    @Test
    void healthTimeoutIsItsOwn() {
        UnexpectedWarnings.expect("no answer within PT1S");
        VirtualHive hive = ready(config -> config.healthInterval(Duration.ofSeconds(10))
                .healthTimeout(Duration.ofSeconds(1))
                .failureThreshold(1));
        hive.probe.hang(OWN);

        hive.advanceSeconds(14);

        assertThat(hive.isRemoved(OWN)).isTrue();
    }

    @Test
    void heartbeatLimitsAreItsOwn() {
        UnexpectedWarnings.expect(Warnings.NO_HEARTBEAT + " for PT4S");
        VirtualHive hive =
                ready(config -> config.heartbeatInterval(Duration.ofSeconds(2)).heartbeatMisses(2));
        hive.registry.heartbeat(OWN);
        hive.registry.heartbeat(OTHER);

        hive.advanceSeconds(6);

        assertThat(hive.isRemoved(OWN)).isTrue();
        assertThat(hive.state(OTHER)).isEqualTo(new Idle());
    }

    @Test
    void failedRequestsAreCountedByItsOwnThreshold() {
        UnexpectedWarnings.expect(Warnings.STOPPED + StopReason.REQUESTS_FAILED);
        VirtualHive hive = ready(config -> config.requestFailureThreshold(1));

        Stream.of(OWN, OTHER).forEach(id -> hive.lease(id).fail(new IOException("CUDA error")));
        hive.advanceSeconds(1);

        assertThat(hive.isRemoved(OWN)).isTrue();
        assertThat(hive.state(OTHER)).isEqualTo(new Idle());
    }

    /** After a failed lease its slots wait for its own probe, at most for its own health timeout. */
    @Test
    void failedLeaseIsCheckedByItsOwnProbeAndTimeout() {
        ScriptedHealthProbe own = new ScriptedHealthProbe();
        VirtualHive hive = ready(
                new VirtualHive(),
                spec -> spec.healthProbe(own)
                        .lifecycle(VirtualHive.config()
                                .healthTimeout(Duration.ofSeconds(2))
                                .build()));
        own.hang(OWN);

        hive.lease(OWN).fail(new IOException("connection reset"));
        hive.advance(Duration.ofMillis(1_900));
        assertThat(own.probes(OWN)).isEqualTo(1);
        assertThat(hive.canLease(OWN)).isFalse();
        hive.advance(Duration.ofMillis(200));

        assertThat(hive.canLease(OWN)).isTrue();
        assertThat(hive.probe.probes(OWN)).isZero();
    }

    // ---- restarts ----

    @Test
    void restartPolicyIsItsOwnInAllGenerations() {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.CRASH_LOOP);
        RestartPolicy twice = RestartPolicy.builder()
                .initial(Duration.ofSeconds(3))
                .jitter(0)
                .limit(2)
                .build();
        VirtualHive hive = ready(new VirtualHive(), spec -> spec.restartPolicy(twice));

        hive.processes.exit(OTHER, 1);
        assertThat(hive.isRemoved(OTHER)).isTrue();
        for (int seconds : List.of(3, 6)) {
            hive.processes.exit(OWN, 1);
            assertThat(hive.state(OWN))
                    .isInstanceOfSatisfying(
                            BackingOff.class,
                            next -> assertThat(Duration.between(hive.time.instant(), next.retryAt()))
                                    .isEqualTo(Duration.ofSeconds(seconds)));
            hive.advanceSeconds(seconds + 1);
        }
        hive.processes.exit(OWN, 1);

        assertThat(hive.isRemoved(OWN)).isTrue();
        assertThat(causes(hive)).endsWith(Cause.CRASHED, Cause.CRASHED, Cause.CRASH_LOOP);
    }

    @Test
    void nextGenerationKeepsTheRules() {
        ScriptedHealthProbe own = new ScriptedHealthProbe();
        VirtualHive hive = ready(
                new VirtualHive(),
                spec -> lifecycle(config -> config.idleTimeout(Duration.ofSeconds(5)))
                        .apply(spec.healthProbe(own)));

        hive.restart(OWN);
        hive.advanceSeconds(2);
        assertThat(hive.state(OWN)).isEqualTo(new Idle());
        assertThat(hive.worker(OWN).generation()).isEqualTo(2);
        hive.advanceSeconds(6);

        assertThat(hive.isRemoved(OWN)).isTrue();
        assertThat(hive.probe.probes(OWN)).isZero();
    }

    // ---- stops ----

    @Test
    void drainGraceAndKillTimeoutAreItsOwn() {
        UnexpectedWarnings.expect(Warnings.UNKILLABLE);
        VirtualHive hive = ready(config -> config.drainTimeout(Duration.ofSeconds(4))
                .stopGrace(Duration.ofSeconds(3))
                .killTimeout(Duration.ofSeconds(2)));
        hive.lease(OWN);
        hive.processes.ignoreKill(OWN);
        CompletableFuture<ExitStatus> own = hive.stop(OWN);

        hive.advance(Duration.ofMillis(8_900));
        assertThat(own).isNotDone();
        hive.advance(Duration.ofMillis(300));

        assertThat(own).isCompletedExceptionally();
        hive.processes.exit(OWN, 137);
        hive.advanceSeconds(1);
    }

    @Test
    void ownStopRequestIsSentUnderASupervisorWithoutOne() {
        List<String> asked = new ArrayList<>();
        VirtualHive hive = ready(
                new VirtualHive(),
                spec -> spec.stopRequest(worker -> {
                    asked.add(worker.id());
                    return CompletableFuture.completedFuture(false);
                }));

        hive.stop(OTHER);
        hive.stop(OWN);

        assertThat(asked).containsExactly(OWN);
        assertThat(hive.exitOf(OWN)).hasValue(ExitStatus.requested(0));
    }

    @Test
    void ownStopRequestReplacesTheSupervisors() {
        List<String> asked = new ArrayList<>();
        List<String> askedByDefault = new ArrayList<>();
        VirtualHive hive = new VirtualHive(builder -> builder.stopRequest(worker -> {
            askedByDefault.add(worker.id());
            return CompletableFuture.completedFuture(false);
        }));
        ready(
                hive,
                spec -> spec.stopRequest(worker -> {
                    asked.add(worker.id());
                    return CompletableFuture.completedFuture(false);
                }));
        hive.register("registered", new Idle());

        hive.supervisor.stopIfUnchanged(hive.worker("registered"), StopReason.REQUESTED);
        hive.supervisor.shutdown(Duration.ofSeconds(10));

        assertThat(asked).containsExactly(OWN);
        assertThat(askedByDefault).containsExactlyInAnyOrder(OTHER, "registered");
    }

    /** Regression: the loops ended before the longer kill timeout of a worker was over. */
    @Test
    void shutdownCompletesThoughAWorkerHasALongKillTimeout() {
        UnexpectedWarnings.expect(Warnings.UNKILLABLE);
        VirtualHive hive = ready(config -> config.killTimeout(Duration.ofMinutes(5)));
        hive.processes.ignoreKill(OWN);

        CompletableFuture<ShutdownReport> report = hive.shutdown(Duration.ofSeconds(1));
        hive.advanceSeconds(290);
        assertThat(report).isNotDone();
        hive.advanceSeconds(20);

        assertThat(report).isCompletedWithValueMatching(counts -> counts.unkillable() == 1);
    }

    // ---- what stays the supervisor's ----

    @Test
    void tickIntervalAndSuspicionTimeoutOfASpecAreIgnored() {
        UnexpectedWarnings.expect("it is not stopped for PT1M", Warnings.STOPPED);
        VirtualHive hive = new VirtualHive();
        List<String> ids = List.of("a", "b", "c");
        ids.forEach(id -> {
            hive.supervisor.spawn(spec(
                    id,
                    lifecycle(config ->
                            config.tickInterval(Duration.ofMinutes(9)).suspicionTimeout(Duration.ofMinutes(9)))));
            hive.supervisor.reportReady(id);
            hive.registry.heartbeat(id);
        });

        hive.advanceSeconds(70);
        assertThat(hive.registry.list()).hasSize(3);
        hive.advanceSeconds(10);

        assertThat(hive.registry.list()).isEmpty();
    }

    @Test
    void workerThatTheHiveRegisteredHasTheSupervisorsRules() {
        VirtualHive hive = ready(
                VirtualHive.with(config -> config.idleTimeout(Duration.ofMinutes(10))),
                lifecycle(config -> config.idleTimeout(Duration.ofSeconds(5))));
        hive.replaceRecord(OWN);

        hive.advanceSeconds(9 * 60);
        assertThat(hive.state(OWN)).isEqualTo(new Idle());
        hive.advanceSeconds(4 * 60);

        assertThat(hive.isRemoved(OWN)).isTrue();
    }
}
