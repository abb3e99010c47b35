package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.NoSuchModelException;
import io.github.workerregistry.SlotFilter;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two supervisors on one registry ended each other's workers. */
@ExtendWith(UnexpectedWarnings.class)
class SeveralSupervisorsTest {

    private static final HealthStatus ILL = HealthStatus.unhealthy("no route to host");

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
                        .loadStall(Duration.ofSeconds(10))
                        .busyLimit(Duration.ofSeconds(10))
                        .heartbeatInterval(Duration.ofSeconds(1)),
                true);
        patient = supervise(patientProbe, LifecycleConfig.Builder::noIdleTimeout, true);
    }

    private WorkerSupervisor supervise(
            ScriptedHealthProbe probe, UnaryOperator<LifecycleConfig.Builder> config, boolean registered) {
        return WorkerSupervisor.builder(registry, time)
                .processes(processes)
                .health(probe)
                .restart(RestartPolicy.never())
                .config(config.apply(LifecycleConfig.builder()).build())
                .superviseRegistered(registered)
                .build();
    }

    private String ready(WorkerSupervisor supervisor) {
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.ready(id);
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
    void eachTimesOutItsOwnIdleWorkersOnly() {
        String short_ = ready(strict);
        String long_ = ready(patient);

        time.advance(Duration.ofMinutes(10));

        assertThat(registry.get(short_)).isEmpty();
        assertThat(registry.get(long_)).isPresent();
    }

    @Test
    void theLimitsOfOneDoNotHoldForTheWorkersOfTheOther() {
        UnexpectedWarnings.expect("is not ready after PT10S");
        patientProbe.answerAll(ILL);
        strictProbe.answerAll(ILL);
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
    void eachProbesItsOwnWorkersOnly() {
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
    void anIllWorkerOfOneIsNoEvidenceOfAMassFailureAtTheOther() {
        UnexpectedWarnings.expect("is given up after 3 failed health checks");
        WorkerSupervisor third = supervise(new ScriptedHealthProbe(), LifecycleConfig.Builder::noIdleTimeout, true);
        ScriptedHealthProbe ill = new ScriptedHealthProbe();
        ill.answerAll(ILL);
        WorkerSupervisor fourth = supervise(ill, LifecycleConfig.Builder::noIdleTimeout, true);
        String well = ready(third);
        String first = ready(fourth);
        String second = ready(fourth);
        patientProbe.answerAll(ILL);
        String other = ready(patient);

        time.advance(Duration.ofMinutes(3));

        assertThat(processes.running()).containsExactly(well);
        assertThat(heard.historyOf(first)).doesNotContain("Suspected");
        assertThat(heard.historyOf(second)).doesNotContain("Suspected");
        assertThat(heard.historyOf(other)).doesNotContain("Suspected");
    }

    @Test
    void whatTheHiveRegisteredIsTheFirstOnes() {
        register("own");

        time.advance(Duration.ofSeconds(20));

        assertThat(registry.get("own")).as("timed out by the first").isEmpty();
        assertThat(patientProbe.probes("own")).isZero();
    }

    @Test
    void whatTheHiveRegisteredIsCheckedByTheFirstAfterALeaseHasFailed() {
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
    void whenTheFirstHasEndedTheNextOneTakesThemOver() {
        strict.shutdown(Duration.ofSeconds(1));
        register("own");

        time.advance(Duration.ofMinutes(1));

        assertThat(registry.get("own")).isPresent();
        assertThat(patientProbe.probes("own")).isPositive();
    }

    @Test
    void ifTheFirstLeavesThemAloneNoneEvaluatesThem() {
        WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
        ScriptedHealthProbe probe = new ScriptedHealthProbe();
        for (boolean registered : new boolean[] {false, true}) {
            WorkerSupervisor.builder(registry, time)
                    .processes(processes)
                    .health(probe)
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

    /** For 10 minutes they were told that the hive shuts down, though the other one had started the model again. */
    @Test
    void callersOfAModelThatIsRegisteredAgainAreNotToldOfTheShutdownOfOne() {
        ready(strict);
        strict.shutdown(Duration.ofSeconds(1));
        time.advance(Duration.ofSeconds(5));
        assertThat(refused().isShuttingDown()).isTrue();

        ready(patient);

        assertThat(refused().isShuttingDown()).isFalse();
    }

    /** What a caller is told of a backend that no worker has. */
    private NoSuchModelException refused() {
        return requireNonNull(catchThrowableOfType(
                NoSuchModelException.class,
                () -> registry.acquire("tiny", SlotFilter.any().onBackend("cuda"), Duration.ZERO)));
    }

    /** Between its leaving the books of its supervisor and the removal of its record. */
    @Test
    void aWorkerThatIsBeingRemovedByOneIsNotTakenForTheHivesByTheOther() throws InterruptedException {
        UnexpectedWarnings.expect("is gone: CRASHED");
        PortRange ports = PortRange.of(20_000, 20_100);
        WorkerSupervisor second = WorkerSupervisor.builder(registry, time)
                .processes(processes)
                .ports(ports)
                .restart(RestartPolicy.never())
                .build();
        String id = second.spawn(WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("serve", "{port}")
                        .build())
                .id();
        second.ready(id);
        Thread exit = new Thread(() -> processes.exit(id, 1));

        synchronized (ports) { // it has left the books when it gives its port back
            exit.start();
            await().until(() -> exit.getState() == Thread.State.BLOCKED);
            time.advance(Duration.ofSeconds(30)); // longer than the idle timeout of the first
        }
        exit.join();

        assertThat(heard.events())
                .filteredOn(WorkerEvent.Removed.class::isInstance)
                .extracting(event -> ((WorkerEvent.Removed) event).reason())
                .containsExactly(Exit.Cause.CRASHED);
        assertThat(registry.list()).noneMatch(worker -> worker.state() instanceof Busy);
    }
}
