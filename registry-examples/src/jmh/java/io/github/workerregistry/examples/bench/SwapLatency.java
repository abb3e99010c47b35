package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import io.github.workerregistry.pool.PoolEvent;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.process.LocalProcessController;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What a swap adds to the exit of the victim: two models with room for one, real processes. From the release of the
 * victim's last lease to the moment in which the start of the other model's process begins, and until it runs; beside
 * it, from SIGTERM to the exit of a process of the same program that nobody supervises.
 */
final class SwapLatency {

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final int swaps;

    SwapLatency(int swaps) {
        this.swaps = swaps;
    }

    void measure(Figures figures) throws Exception {
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
        try {
            measure(figures, scheduler);
        } finally {
            scheduler.shutdown();
        }
    }

    private void measure(Figures figures, ScheduledExecutorService scheduler) throws Exception {
        WorkerRegistry registry = WorkerRegistry.create();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processController(LocalProcessController.create())
                .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
                .build();
        WorkerPool pool = WorkerPool.builder(registry, supervisor)
                .config(PoolConfig.builder()
                        .device("cpu", 0, 1)
                        .model(model("a"))
                        .model(model("b"))
                        .build())
                .build();
        long[] swap = new long[swaps];
        long[] start = new long[swaps];
        long[] exit = new long[swaps];
        try {
            SlotLease lease = served(supervisor, registry, pool, "a");
            for (int i = 0; i < swaps; i++) {
                String next = i % 2 == 0 ? "b" : "a";
                CompletableFuture<Long> decided = new CompletableFuture<>();
                CompletableFuture<Long> started = new CompletableFuture<>();
                try (var loads = pool.subscribe(
                                event -> {
                                    if (event instanceof PoolEvent.LoadStarted) {
                                        decided.complete(System.nanoTime());
                                    }
                                },
                                Runnable::run);
                        var starts = registry.subscribe(
                                event -> {
                                    if (event instanceof WorkerEvent.Registered) {
                                        started.complete(System.nanoTime());
                                    }
                                },
                                Runnable::run)) {
                    CompletableFuture<SlotLease> waiting = request(pool, next);
                    long released = System.nanoTime();
                    lease.close();
                    swap[i] = decided.get() - released;
                    start[i] = started.get() - decided.get();
                    lease = ready(supervisor, registry, next, waiting);
                }
                exit[i] = exit();
            }
            lease.close();
        } finally {
            pool.close();
            supervisor.close();
        }
        figures.putSpread("swap, last release of the victim to the next start,", "ms", 1e6, swap);
        figures.putSpread("swap, the start,", "ms", 1e6, start);
        figures.putSpread("swap, SIGTERM to exit of such a process,", "ms", 1e6, exit);
    }

    private static ModelSpec model(String name) {
        return ModelSpec.builder(name)
                .worker(WorkerSpec.builder().command("sleep", "3600").url("http://127.0.0.1:1"))
                .build();
    }

    private static CompletableFuture<SlotLease> request(WorkerPool pool, String model) {
        return pool.acquireAsync(SlotRequest.forModel(model), PATIENCE, Runnable::run)
                .lease()
                .toCompletableFuture();
    }

    private static SlotLease served(WorkerSupervisor supervisor, WorkerRegistry registry, WorkerPool pool, String model)
            throws Exception {
        return ready(supervisor, registry, model, request(pool, model));
    }

    /** The model's worker reports ready as soon as it loads. */
    private static SlotLease ready(
            WorkerSupervisor supervisor, WorkerRegistry registry, String model, CompletableFuture<SlotLease> waiting)
            throws Exception {
        while (!waiting.isDone()) {
            for (WorkerInfo worker : registry.list(model)) {
                if (worker.state() instanceof Loading) {
                    supervisor.reportReady(worker.id());
                }
            }
            Thread.onSpinWait();
        }
        return waiting.get();
    }

    private static long exit() throws Exception {
        Process process = new ProcessBuilder("sleep", "3600").start();
        long begun = System.nanoTime();
        process.destroy();
        process.onExit().get();
        return System.nanoTime() - begun;
    }
}
