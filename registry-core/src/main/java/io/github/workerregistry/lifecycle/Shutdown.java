package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends all workers side by side under one deadline, counts how they went, and ends the loops. */
final class Shutdown {

    private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

    private final InstantSource clock;
    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final Spawner spawner;
    private final LoopRunner loops;
    private final AtomicReference<@Nullable CompletableFuture<ShutdownReport>> report = new AtomicReference<>();
    private @Nullable Thread hook;

    Shutdown(InstantSource clock, SupervisedWorkers workers, Stopper stopper, Spawner spawner, LoopRunner loops) {
        this.clock = clock;
        this.workers = workers;
        this.stopper = stopper;
        this.spawner = spawner;
        this.loops = loops;
    }

    /** Shuts down when the JVM does, and keeps it waiting until then. */
    synchronized void hook(Duration deadline) {
        Thread thread = new Thread(() -> begin(deadline).toCompletableFuture().join(), "worker-registry-shutdown");
        Runtime.getRuntime().addShutdownHook(thread);
        hook = thread;
    }

    private synchronized void unhook() {
        if (hook != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException jvmShutsDown) {
                log.debug("the JVM shuts down; the hook runs, or has run");
            }
            hook = null;
        }
    }

    /** Begins, or hurries what has begun. */
    CompletionStage<ShutdownReport> begin(Duration deadline) {
        Instant killAt = clock.instant().plus(deadline);
        loops.outliveScheduler(); // the host may shut its scheduler down before, or while, we shut down
        return end(worker -> stopper.stopBy(worker.id, killAt)).copy();
    }

    void now() {
        CompletableFuture<ShutdownReport> unused = end(worker -> stopper.forceKill(worker.id));
        loops.close();
    }

    private CompletableFuture<ShutdownReport> end(Consumer<SupervisedWorker> stop) {
        spawner.close();
        List<SupervisedWorker> ending =
                workers.all().stream().filter(worker -> !worker.hasExited()).toList();
        CompletableFuture<ShutdownReport> first = new CompletableFuture<>();
        CompletableFuture<ShutdownReport> promised = report.compareAndExchange(null, first);
        workers.all().forEach(stop); // those that back off too
        if (promised != null) {
            return promised;
        }
        CompletableFuture.allOf(ending.stream().map(worker -> worker.gone).toArray(CompletableFuture<?>[]::new))
                .whenComplete((gone, unkillable) -> {
                    loops.close();
                    unhook();
                    ShutdownReport counts = count(ending);
                    log.info("shutdown is complete: {}", counts);
                    first.complete(counts);
                });
        return first;
    }

    private static ShutdownReport count(List<SupervisedWorker> ended) {
        int drained = 0;
        int exited = 0;
        int killed = 0;
        int unkillable = 0;
        for (SupervisedWorker worker : ended) {
            switch (worker.stop.phase()) {
                case UNKILLABLE -> unkillable++;
                case KILLED -> killed++;
                case RUNNING, DRAINING, ASKED, TERMINATED -> {
                    if (worker.stop.drained()) {
                        drained++;
                    } else {
                        exited++;
                    }
                }
            }
        }
        return new ShutdownReport(ended.size(), drained, exited, killed, unkillable);
    }
}
