package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Consumer;
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
    private final AtomicReference<Duration> spent = new AtomicReference<>(Duration.ZERO);
    final WorkerRegistry registry = WorkerRegistry.builder()
            .clock(() -> time.instant().plus(spent.get()))
            .build();
    final FakeProcessController processes = new FakeProcessController();
    final ScriptedHealthProbe probe = new ScriptedHealthProbe();
    final RecordingListener heard = new RecordingListener();
    final WorkerSupervisor supervisor;

    VirtualHive() {
        this(UnaryOperator.identity());
    }

    VirtualHive(UnaryOperator<WorkerSupervisor.Builder> settings) {
        this((self, builder) -> settings.apply(builder));
    }

    /** A hive whose settings refer to the hive itself, for example a controller that starts its fake processes. */
    VirtualHive(BiFunction<VirtualHive, WorkerSupervisor.Builder, WorkerSupervisor.Builder> settings) {
        registry.subscribe(heard, Runnable::run);
        supervisor = settings.apply(
                        this,
                        WorkerSupervisor.builder(registry, time)
                                .processController(processes)
                                .healthProbe(probe)
                                .restartPolicy(RestartPolicy.never())
                                .lifecycle(config().build()))
                .build();
    }

    /** Lets time pass during a task: virtual time stands still then. */
    void spend(Duration duration) {
        spent.accumulateAndGet(duration, Duration::plus);
    }

    /** The defaults, but without an idle timeout: most tests are about something else. */
    static LifecycleConfig.Builder config() {
        return LifecycleConfig.builder().noIdleTimeout();
    }

    static VirtualHive with(UnaryOperator<LifecycleConfig.Builder> settings) {
        return new VirtualHive(
                builder -> builder.lifecycle(settings.apply(config()).build()));
    }

    /** A hive that restarts its workers, without jitter. */
    static VirtualHive restarting() {
        return new VirtualHive(builder ->
                builder.restartPolicy(RestartPolicy.builder().jitter(0).build()));
    }

    /** Spawns a worker whose health checks fail while it loads. */
    String spawnLoading() {
        probe.answerAll(HealthStatus.unhealthy("loading"));
        return supervisor.spawn(SPEC).id();
    }

    /** Spawns a worker and makes it ready and healthy. */
    String spawnReady() {
        String id = supervisor.spawn(SPEC).id();
        supervisor.reportReady(id);
        return id;
    }

    /** Spawns a worker with an id that is free, and makes it ready. */
    String spawnReady(String id) {
        supervisor.spawn(WorkerSpec.builder()
                .id(id)
                .modelRef(SPEC.modelRef())
                .command(SPEC.command())
                .url(SPEC.url())
                .build());
        supervisor.reportReady(id);
        return id;
    }

    /** Registers a worker without a process, as a hive does with its own loops. */
    WorkerInfo register(String id, WorkerState state) {
        WorkerInfo worker = WorkerInfo.builder()
                .id(id)
                .url("http://elsewhere")
                .modelRef(SPEC.modelRef())
                .state(state)
                .startedAt(time.instant())
                .build();
        registry.register(worker);
        return worker;
    }

    /** Registers a loading worker without a process; its health checks fail. */
    void registerLoading(String id) {
        probe.answerAll(HealthStatus.unhealthy("loading"));
        register(id, new Loading(time.instant()));
    }

    /** Removes a worker's record and registers another one with its id. */
    WorkerInfo replaceRecord(String id) {
        registry.remove(id);
        return register(id, new Idle());
    }

    CompletableFuture<ExitStatus> stop(String id) {
        return supervisor.stop(id).toCompletableFuture();
    }

    CompletableFuture<ExitStatus> forceKill(String id) {
        return supervisor.forceKill(id).toCompletableFuture();
    }

    CompletableFuture<WorkerInfo> restart(String id) {
        return supervisor.restart(id).toCompletableFuture();
    }

    CompletableFuture<WorkerInfo> whenReady(String id) {
        return supervisor.whenReady(id).toCompletableFuture();
    }

    CompletableFuture<ShutdownReport> shutdown(Duration deadline) {
        return supervisor.shutdown(deadline).toCompletableFuture();
    }

    SlotLease lease(String id) {
        return registry.tryAcquireFrom(id).orElseThrow();
    }

    /** Whether a slot of the worker can be acquired now; it is released at once. */
    boolean canLease(String id) {
        Optional<SlotLease> lease = registry.tryAcquireFrom(id);
        lease.ifPresent(SlotLease::close);
        return lease.isPresent();
    }

    WorkerInfo worker(String id) {
        return registry.get(id).orElseThrow();
    }

    WorkerState state(String id) {
        return worker(id).state();
    }

    /** The attempt that a worker in backoff waits for. */
    int attempt(String id) {
        return ((BackingOff) state(id)).attempt();
    }

    boolean isRemoved(String id) {
        return registry.get(id).isEmpty();
    }

    Optional<ExitStatus> exitOf(String id) {
        return processes.exitOf(id);
    }

    Exit lastExit() {
        List<Exit> exits = supervisor.recentExits();
        return exits.get(exits.size() - 1);
    }

    /** Runs a reaction once, in the listener, at the next event of a type. */
    <E extends WorkerEvent> void onNext(Class<E> type, Consumer<E> reaction) {
        AtomicBoolean seen = new AtomicBoolean();
        registry.subscribe(
                event -> {
                    if (type.isInstance(event) && !seen.getAndSet(true)) {
                        reaction.accept(type.cast(event));
                    }
                },
                Runnable::run);
    }

    void advance(Duration duration) {
        time.advance(duration);
    }

    void advanceSeconds(long seconds) {
        advance(Duration.ofSeconds(seconds));
    }
}
