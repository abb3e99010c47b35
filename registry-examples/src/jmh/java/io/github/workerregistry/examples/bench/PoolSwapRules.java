package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.EvictionPolicy;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import io.github.workerregistry.pool.PoolEvent;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The pool of this library, in virtual time. */
final class PoolSwapRules implements SwapRules {

    private final FakeProcessController processes = new FakeProcessController();
    private final WorkerSupervisor supervisor;
    private final WorkerPool pool;

    PoolSwapRules(VirtualTime time, int room, Duration[] loadTimes, EvictionPolicy policy) {
        WorkerRegistry registry =
                WorkerRegistry.builder().clock(time).timer(time).build();
        supervisor = WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .lifecycle(LifecycleConfig.builder()
                        .noIdleTimeout()
                        .loadTimeout(Duration.ofMinutes(5))
                        .tickInterval(Duration.ofSeconds(1))
                        .idleCheckInterval(Duration.ofMinutes(1))
                        .build())
                .build();
        PoolConfig.Builder config = PoolConfig.builder().device("cpu", 0, room);
        for (int model = 0; model < loadTimes.length; model++) {
            config.model(ModelSpec.builder(name(model))
                    .worker(WorkerSpec.builder().command("serve", "{port}").slots(SwapSimulation.SLOTS))
                    .build());
        }
        pool = WorkerPool.builder(registry, supervisor)
                .config(config.build())
                .evictionPolicy(policy)
                .blockingExecutor(time)
                .build();
        pool.subscribe(
                event -> {
                    if (event instanceof PoolEvent.LoadStarted load) {
                        time.schedule(
                                () -> supervisor.reportReady(load.workerId()),
                                loadTimes[numberOf(load.modelRef())].toNanos(),
                                TimeUnit.NANOSECONDS);
                    }
                },
                Runnable::run);
    }

    private static String name(int model) {
        return "model-" + model;
    }

    private static int numberOf(String name) {
        return Integer.parseInt(name.substring(name.indexOf('-') + 1));
    }

    @Override
    public void request(int model, Consumer<Runnable> served) {
        pool.acquireAsync(SlotRequest.forModel(name(model)), Duration.ofDays(1), Runnable::run)
                .lease()
                .thenAccept(slot -> served.accept(slot::close));
    }

    @Override
    public long loads() {
        return processes.starts();
    }
}
