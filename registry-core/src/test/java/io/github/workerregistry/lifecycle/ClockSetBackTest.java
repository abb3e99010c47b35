package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The hive's clock is set back by an hour. Regression: every loop stood still until the time was reached again. */
@ExtendWith(UnexpectedWarnings.class)
class ClockSetBackTest {

    private final VirtualTime time = new VirtualTime();
    private Duration setBack = Duration.ZERO;
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(() -> time.instant().minus(setBack)).build();
    private final FakeProcessController processes = new FakeProcessController();
    private final ScriptedHealthProbe probe = new ScriptedHealthProbe();

    private WorkerSupervisor supervise(LifecycleConfig config, RestartPolicy restart) {
        return WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .healthProbe(probe)
                .restartPolicy(restart)
                .lifecycle(config)
                .build();
    }

    private String readyBeforeTheClockIsSetBack(WorkerSupervisor supervisor) {
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.reportReady(id);
        time.advance(Duration.ofSeconds(40));
        setBack = Duration.ofHours(1);
        return id;
    }

    @Test
    void anIdleWorkerIsStoppedAtItsTimeout() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.defaults(), RestartPolicy.never());
        String id = readyBeforeTheClockIsSetBack(supervisor);

        time.advance(Duration.ofMinutes(3));
        assertThat(registry.get(id)).as("not too early").isPresent();
        time.advance(Duration.ofMinutes(3));

        assertThat(supervisor.recentExits()).extracting(Exit::cause).containsExactly(Exit.Cause.IDLE_TIMEOUT);
    }

    @Test
    void aWorkerThatFailsItsHealthChecksIsStopped() {
        UnexpectedWarnings.expect(Warnings.THREE_CHECKS_FAILED);
        WorkerSupervisor supervisor = supervise(VirtualHive.config().build(), RestartPolicy.never());
        String id = readyBeforeTheClockIsSetBack(supervisor);
        probe.answer(id, HealthStatus.unhealthy("unhealthy"));

        time.advance(Duration.ofMinutes(2));

        assertThat(registry.get(id)).isEmpty();
    }

    @Test
    void aRestartStartsAfterItsDelay() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        WorkerSupervisor supervisor = supervise(VirtualHive.config().build(), RestartPolicy.onFailure());
        String id = readyBeforeTheClockIsSetBack(supervisor);

        processes.exit(id, 1);
        time.advance(Duration.ofSeconds(2));

        assertThat(registry.get(id).orElseThrow().restarts()).isEqualTo(1);
    }

    @Test
    void aStopInProgressCompletes() {
        WorkerSupervisor supervisor = supervise(VirtualHive.config().build(), RestartPolicy.never());
        String id = supervisor.spawn(VirtualHive.SPEC).id();
        processes.ignoreTerminate(id);
        supervisor.stop(id);

        setBack = Duration.ofHours(1);
        time.advance(Duration.ofSeconds(11));

        assertThat(processes.running()).isEmpty();
    }
}
