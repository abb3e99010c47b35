package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A registry and a supervisor in virtual time, with fake processes and, unless a test says otherwise, without restarts
 * and without an idle timeout.
 */
final class VirtualHive {

    static final WorkerSpec SPEC = WorkerSpec.builder()
            .modelRef("tiny")
            .command("serve")
            .url("http://fake")
            .slots(2)
            .build();

    final VirtualTime time = new VirtualTime();
    final WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
    final FakeProcessController processes = new FakeProcessController();
    final ScriptedHealthProbe probe = new ScriptedHealthProbe();
    final RecordingListener heard = new RecordingListener();
    final WorkerSupervisor supervisor;

    VirtualHive() {
        this(UnaryOperator.identity());
    }

    VirtualHive(UnaryOperator<WorkerSupervisor.Builder> settings) {
        registry.subscribe(heard, Runnable::run);
        supervisor = settings.apply(WorkerSupervisor.builder(registry, time)
                        .processes(processes)
                        .health(probe)
                        .restart(RestartPolicy.never())
                        .config(config().build()))
                .build();
    }

    /** The defaults, but without an idle timeout: most tests are about something else. */
    static LifecycleConfig.Builder config() {
        return LifecycleConfig.builder().noIdleTimeout();
    }

    static VirtualHive with(UnaryOperator<LifecycleConfig.Builder> settings) {
        return new VirtualHive(
                builder -> builder.config(settings.apply(config()).build()));
    }

    /** A hive that restarts its workers, without jitter. */
    static VirtualHive restarting() {
        return new VirtualHive(
                builder -> builder.restart(RestartPolicy.builder().jitter(0).build()));
    }

    /** Spawns a worker that answers no probe while it loads. */
    String spawnLoading() {
        probe.answerAll(HealthStatus.unhealthy("loading"));
        return supervisor.spawn(SPEC).id();
    }

    /** Spawns a worker and makes it ready and healthy. */
    String spawnReady() {
        String id = supervisor.spawn(SPEC).id();
        supervisor.ready(id);
        return id;
    }

    /** Spawns a worker with an id that is free again, and makes it ready. */
    void spawnReady(String id) {
        supervisor.spawn(WorkerSpec.builder()
                .id(id)
                .modelRef(SPEC.modelRef())
                .command(SPEC.command())
                .url(SPEC.url())
                .build());
        supervisor.ready(id);
    }

    SlotLease lease(String id) {
        return registry.tryAcquireFrom(id).orElseThrow();
    }

    WorkerInfo worker(String id) {
        return registry.get(id).orElseThrow();
    }

    WorkerState state(String id) {
        return worker(id).state();
    }

    boolean isGone(String id) {
        return registry.get(id).isEmpty();
    }

    Optional<ExitStatus> exitOf(String id) {
        return processes.exitOf(id);
    }

    void advance(Duration duration) {
        time.advance(duration);
    }

    void advanceSeconds(long seconds) {
        advance(Duration.ofSeconds(seconds));
    }
}
