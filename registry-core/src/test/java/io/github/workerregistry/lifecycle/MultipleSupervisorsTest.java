package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Regression: two supervisors on one registry stopped each other's workers. */
@ExtendWith(UnexpectedWarnings.class)
class MultipleSupervisorsTest {

    private static final HealthStatus UNHEALTHY = HealthStatus.unhealthy("no route to host");

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
    private final FakeProcessController processes = new FakeProcessController();
    private final RecordingListener heard = new RecordingListener();
    private WorkerSupervisor strict;
    private WorkerSupervisor patient;
    private final ScriptedHealthProbe strictProbe = new ScriptedHealthProbe();
    private final ScriptedHealthProbe patientProbe = new ScriptedHealthProbe();

    @BeforeEach
    void superviseTwice() {
        registry.subscribe(heard, Runnable::run);
        strict = supervise(
                strictProbe,
                config -> config.idleTimeout(Duration.ofSeconds(10))
                        .loadStallTimeout(Duration.ofSeconds(10))
                        .busyTimeout(Duration.ofSeconds(10))
                        .heartbeatInterval(Duration.ofSeconds(1)),
                true);
        patient = supervise(patientProbe, LifecycleConfig.Builder::noIdleTimeout, true);
    }

    private WorkerSupervisor supervise(
            ScriptedHealthProbe probe, UnaryOperator<LifecycleConfig.Builder> config, boolean registered) {
        return WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .healthProbe(probe)
                .restartPolicy(RestartPolicy.never())
                .lifecycle(config.apply(LifecycleConfig.builder()).build())
                .superviseRegistered(registered)
                .build();
    }

    private String ready(WorkerSupervisor supervisor) {
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.reportReady(id);
        return id;
    }

    private void lease(String id) {
        assertThat(registry.tryAcquireFrom(id)).isPresent();
    }

    private void register(String id) {
        registry.register(WorkerInfo.builder()
                .id(id)
                .url("http://elsewhere")
                .modelRef("m")
                .state(new Idle())
                .startedAt(time.instant())
                .build());
    }

    @Test
    void idleTimeoutsApplyToOwnWorkersOnly() {
        String short_ = ready(strict);
        String long_ = ready(patient);

        time.advance(Duration.ofMinutes(10));

        assertThat(registry.get(short_)).isEmpty();
        assertThat(registry.get(long_)).isPresent();
    }

    @Test
    void limitsApplyToOwnWorkersOnly() {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        patientProbe.answerAll(UNHEALTHY);
        strictProbe.answerAll(UNHEALTHY);
        String loading = patient.spawn(VirtualHive.SPEC).id();
        String busy = ready(patient);
        lease(busy);
        String beating = ready(patient);
        lease(beating);
        registry.heartbeat(beating);

        time.advance(Duration.ofSeconds(14));

        assertThat(processes.running()).containsExactly(loading, busy, beating);
    }

    @Test
    void ownWorkersOnlyAreProbed() {
        String mine = ready(strict);
        lease(mine);
        registry.heartbeat(mine);
        String yours = ready(patient);

        for (int i = 0; i < 12; i++) {
            registry.heartbeat(mine);
            time.advance(Duration.ofMillis(700));
        }
        time.advance(Duration.ZERO);

        assertThat(patientProbe.probes(mine)).isZero();
        assertThat(strictProbe.probes(yours)).isZero();
    }

    @Test
    void failuresOfOtherSupervisorsAreNoMassFailure() {
        UnexpectedWarnings.expect(Warnings.THREE_CHECKS_FAILED);
        WorkerSupervisor third = supervise(new ScriptedHealthProbe(), LifecycleConfig.Builder::noIdleTimeout, true);
        ScriptedHealthProbe unhealthy = new ScriptedHealthProbe();
        unhealthy.answerAll(UNHEALTHY);
        WorkerSupervisor fourth = supervise(unhealthy, LifecycleConfig.Builder::noIdleTimeout, true);
        String healthy = ready(third);
        String first = ready(fourth);
        String second = ready(fourth);
        patientProbe.answerAll(UNHEALTHY);
        String other = ready(patient);

        time.advance(Duration.ofMinutes(3));

        assertThat(processes.running()).containsExactly(healthy);
        assertThat(heard.historyOf(first)).doesNotContain("Suspected");
        assertThat(heard.historyOf(second)).doesNotContain("Suspected");
        assertThat(heard.historyOf(other)).doesNotContain("Suspected");
    }

    @Test
    void registeredWorkersBelongToTheFirstSupervisor() {
        register("own");

        time.advance(Duration.ofSeconds(20));

        assertThat(registry.get("own")).as("timed out by the first").isEmpty();
        assertThat(patientProbe.probes("own")).isZero();
    }

    @Test
    void registeredWorkersAreCheckedByTheFirstSupervisorAfterAFailedLease() {
        strictProbe.hang("own");
        register("own");

        fail("own");
        time.advance(Duration.ofMillis(500));

        assertThat(strictProbe.probes("own")).isPositive();
        assertThat(patientProbe.probes("own")).isZero();
        assertThat(registry.tryAcquireFrom("own")).isEmpty();
    }

    private void fail(String id) {
        registry.tryAcquireFrom(id).orElseThrow().fail(new IOException("connection reset"));
    }

    @Test
    void registeredWorkersPassToTheNextSupervisorAfterAShutdown() {
        strict.shutdown(Duration.ofSeconds(1));
        register("own");

        time.advance(Duration.ofMinutes(1));

        assertThat(registry.get("own")).isPresent();
        assertThat(patientProbe.probes("own")).isPositive();
    }

    @Test
    void registeredWorkersAreNotEvaluatedIfTheFirstSupervisorIgnoresThem() {
        WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
        ScriptedHealthProbe probe = new ScriptedHealthProbe();
        for (boolean registered : new boolean[] {false, true}) {
            WorkerSupervisor.builder(registry, time)
                    .processController(processes)
                    .healthProbe(probe)
                    .superviseRegistered(registered)
                    .build();
        }
        registry.register(WorkerInfo.builder()
                .id("own")
                .url("http://elsewhere")
                .modelRef("m")
                .state(new Idle())
                .startedAt(time.instant())
                .build());

        time.advance(Duration.ofHours(1));

        assertThat(registry.get("own")).isPresent();
        assertThat(probe.probes("own")).isZero();

        registry.tryAcquireFrom("own").orElseThrow().fail(new IOException("connection reset"));
        time.advance(Duration.ofMillis(500));

        assertThat(registry.tryAcquireFrom("own")).as("it is not checked").isPresent();
        assertThat(probe.probes("own")).isZero();
    }

    /**
     * Regression: for 10 minutes refusals named a shutdown, though the other supervisor had started the model again.
     */
    @Test
    void aShutdownIsNotReportedOnceTheModelIsRegisteredAgain() {
        ready(strict);
        strict.shutdown(Duration.ofSeconds(1));
        time.advance(Duration.ofSeconds(5));
        assertThat(refused().isShuttingDown()).isTrue();

        ready(patient);

        assertThat(refused().isShuttingDown()).isFalse();
    }

    /** Regression: it removed the record, and the other supervisor killed the process. */
    @Test
    void stopIfUnchangedStopsNoWorkerOfAnotherSupervisor() {
        String id = ready(strict);
        WorkerInfo seen = registry.get(id).orElseThrow();

        assertThat(patient.stopIfUnchanged(seen, StopReason.EVICTED)).isFalse();
        time.advance(Duration.ofSeconds(1));

        assertThat(registry.get(id)).contains(seen);
        assertThat(processes.running()).containsExactly(id);
        assertThat(strict.stopIfUnchanged(seen, StopReason.EVICTED)).isTrue();
    }

    @Test
    void stopIfUnchangedStopsARegisteredWorker() {
        register("own");

        assertThat(patient.stopIfUnchanged(registry.get("own").orElseThrow(), StopReason.EVICTED))
                .isTrue();
        assertThat(registry.get("own")).isEmpty();
    }

    /** Regression: it was leased before its process was started. */
    @Test
    void reportReadyIsRefusedForAWorkerOfAnotherSupervisor() {
        List<Boolean> accepted = new ArrayList<>();
        WorkerSupervisor starting = WorkerSupervisor.builder(registry, time)
                .processController(spec -> {
                    accepted.add(patient.reportReady(spec.workerId()));
                    accepted.add(registry.tryAcquireFrom(spec.workerId()).isPresent());
                    return processes.start(spec);
                })
                .build();

        WorkerInfo loading = starting.spawn(VirtualHive.SPEC);

        assertThat(accepted).containsExactly(false, false);
        assertThat(loading.state()).isInstanceOf(Loading.class);
        assertThat(patient.reportReady(loading.id())).isFalse();
        assertThat(starting.reportReady(loading.id())).isTrue();
    }

    /** The refusal of a request for a backend that no worker has. */
    private NoWorkerException refused() {
        return requireNonNull(catchThrowableOfType(
                NoWorkerException.class,
                () -> registry.acquire(SlotRequest.forModel("tiny").onBackend("cuda"), Duration.ZERO)));
    }

    /** Between the end of its supervision and the removal of its record. */
    @Test
    void aWorkerBeingRemovedIsNotTreatedAsRegisteredByTheOther() throws InterruptedException {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        PortPool ports = PortPool.of(20_000, 20_100);
        WorkerSupervisor second = WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .ports(ports)
                .restartPolicy(RestartPolicy.never())
                .build();
        String id = second.spawn(WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("serve", "{port}")
                        .build())
                .id();
        second.reportReady(id);
        Thread exit = new Thread(() -> processes.exit(id, 1));

        synchronized (ports) { // it is no longer supervised when it releases its port
            exit.start();
            await().until(() -> exit.getState() == Thread.State.BLOCKED);
            time.advance(Duration.ofSeconds(30)); // longer than the idle timeout of the first
        }
        exit.join();

        assertThat(heard.events())
                .filteredOn(WorkerEvent.Removed.class::isInstance)
                .extracting(event -> ((WorkerEvent.Removed) event).cause())
                .containsExactly(Exit.Cause.CRASHED);
        assertThat(registry.list()).noneMatch(worker -> worker.state() instanceof Busy);
    }
}
