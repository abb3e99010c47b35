package io.github.workerregistry.pool;

import io.github.workerregistry.MachineClock;
import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** A pool in virtual time, with fake processes. Workers are ready when the test says so. */
final class VirtualPool {

    static final Duration LONG = Duration.ofHours(1);

    final VirtualTime time = new VirtualTime();
    final MachineClock clock = new MachineClock(time);
    final WorkerRegistry registry =
            WorkerRegistry.builder().clock(clock).timer(time).build();
    final FakeProcessController processes;
    final List<PoolEvent> events = new ArrayList<>();
    final WorkerSupervisor supervisor;
    final WorkerPool pool;

    VirtualPool(PoolConfig.Builder config) {
        this(config, UnaryOperator.identity());
    }

    VirtualPool(PoolConfig.Builder config, UnaryOperator<WorkerPool.Builder> settings) {
        this(config, settings, time -> time);
    }

    /** A pool whose processes start on another executor, made for the virtual time. */
    VirtualPool(
            PoolConfig.Builder config,
            UnaryOperator<WorkerPool.Builder> settings,
            Function<VirtualTime, Executor> blocking) {
        this(config, settings, blocking, new FakeProcessController(), started -> started);
    }

    VirtualPool(
            PoolConfig.Builder config,
            UnaryOperator<WorkerPool.Builder> settings,
            Function<VirtualTime, Executor> blocking,
            FakeProcessController processes,
            UnaryOperator<ProcessController> wrapper) {
        this.processes = processes;
        supervisor = WorkerSupervisor.builder(registry, time)
                .processController(wrapper.apply(processes))
                .restartPolicy(RestartPolicy.builder().jitter(0).build())
                .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
                .build();
        pool = settings.apply(WorkerPool.builder(registry, supervisor)
                        .config(config.build())
                        .blockingExecutor(blocking.apply(time)))
                .build();
        pool.subscribe(events::add, Runnable::run);
        run();
    }

    /** Room for one model. */
    static PoolConfig.Builder roomForOne(ModelSpec.Builder... models) {
        return room(1, models);
    }

    static PoolConfig.Builder room(long units, ModelSpec.Builder... models) {
        PoolConfig.Builder config = PoolConfig.builder().device("cpu", 0, units);
        for (ModelSpec.Builder model : models) {
            config.model(model.build());
        }
        return config;
    }

    static ModelSpec.Builder model(String name) {
        return ModelSpec.builder(name).worker(worker());
    }

    /** A model that may have several workers. */
    static ModelSpec.Builder scaled(String name, int maxWorkers) {
        return ModelSpec.builder(name)
                .worker(WorkerSpec.builder().command("serve", "{port}"))
                .maxWorkers(maxWorkers);
    }

    static WorkerSpec.Builder worker() {
        return WorkerSpec.builder().command("serve").url("http://fake");
    }

    /** Runs what is due, also what follows from it. */
    void run() {
        time.runDueTasks();
    }

    void advance(Duration duration) {
        time.advance(duration);
    }

    void advanceSeconds(long seconds) {
        advance(Duration.ofSeconds(seconds));
    }

    /** A request, with the passes that follow from it. */
    CompletableFuture<SlotLease> request(String model) {
        return request(SlotRequest.forModel(model));
    }

    CompletableFuture<SlotLease> request(SlotRequest request) {
        CompletableFuture<SlotLease> lease = pending(request).lease().toCompletableFuture();
        run();
        return lease;
    }

    PendingSlot pending(SlotRequest request) {
        return pool.acquireAsync(request, LONG, Runnable::run);
    }

    /** The workers of a model that load become ready. */
    void ready(String model) {
        for (WorkerInfo worker : registry.list(model)) {
            if (worker.state() instanceof Loading) {
                supervisor.reportReady(worker.id());
            }
        }
        run();
    }

    /** Loads a model and leases a slot. */
    SlotLease lease(String model) {
        CompletableFuture<SlotLease> lease = request(model);
        ready(model);
        return lease.join();
    }

    /** Loads a model, which is idle then, for a moment: the time of its use must be over before it is stopped. */
    String load(String model) {
        SlotLease lease = lease(model);
        lease.close();
        advance(Duration.ofMillis(1));
        return lease.workerId();
    }

    /** The ids of a model's workers that are not being stopped. */
    List<String> live(String model) {
        return registry.list(model).stream()
                .filter(worker -> worker.state().routable() || worker.state() instanceof Loading)
                .map(WorkerInfo::id)
                .toList();
    }

    /** The model's one worker. */
    WorkerInfo only(String model) {
        List<WorkerInfo> workers = registry.list(model);
        if (workers.size() != 1) {
            throw new AssertionError(model + " has " + workers);
        }
        return workers.get(0);
    }

    ModelStatus status(String model) {
        return pool.models().stream()
                .filter(status -> status.modelRef().equals(model))
                .findFirst()
                .orElseThrow();
    }

    /** The exception that a stage has failed with. */
    static Throwable failure(CompletableFuture<?> stage) {
        if (!stage.isDone()) {
            throw new AssertionError("not done: " + stage);
        }
        try {
            stage.join();
            throw new AssertionError("did not fail: " + stage);
        } catch (CompletionException e) {
            return e.getCause();
        }
    }
}
