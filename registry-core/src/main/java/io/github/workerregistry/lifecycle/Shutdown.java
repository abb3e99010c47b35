package io.github.workerregistry.lifecycle;

import io.github.workerregistry.LogText;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends all workers side by side under one deadline, counts how they went, and ends the loops. */
final class Shutdown {

    private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

    /** How much longer than its deadline and the wait for the killed a shutdown may take. */
    private static final Duration MARGIN = Duration.ofSeconds(2);

    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final Spawner spawner;
    private final LoopRunner loops;
    private final Duration killWait;
    private final AtomicReference<@Nullable CompletableFuture<ShutdownReport>> report = new AtomicReference<>();
    private @Nullable Thread hook;

    Shutdown(SupervisedWorkers workers, Stopper stopper, Spawner spawner, LoopRunner loops, Duration killWait) {
        this.workers = workers;
        this.stopper = stopper;
        this.spawner = spawner;
        this.loops = loops;
        this.killWait = killWait;
    }

    /** Shuts down when the JVM does, and keeps it waiting until then. */
    synchronized void hook(Duration deadline) {
        Thread thread = new Thread(() -> endWithJvm(deadline), "worker-registry-shutdown");
        Runtime.getRuntime().addShutdownHook(thread);
        hook = thread;
    }

    /** A JVM must come to its end, whatever our loops, their scheduler or a process do. */
    private void endWithJvm(Duration deadline) {
        long longest = deadline.plus(killWait).plus(MARGIN).toMillis();
        try {
            begin(deadline).toCompletableFuture().get(longest, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException | InterruptedException e) {
            log.warn("the shutdown is not complete; what is left is killed, and the JVM ends", LogText.of(e));
            workers.all().forEach(worker -> StopLoop.signal(worker, "kill", WorkerProcess::kill));
        }
    }

    /** Takes the hook away, if there is one. */
    synchronized void unhook() {
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
        loops.outliveScheduler(); // the host may shut its scheduler down before, or while, we shut down
        return end(id -> stopper.stopWithin(id, deadline)).copy();
    }

    /** Kills, and leaves the host's scheduler. What has to be waited for is waited for without it. */
    void now() {
        CompletableFuture<ShutdownReport> unused = end(stopper::forceKill);
        loops.leaveScheduler(killWait.plus(MARGIN));
    }

    private CompletableFuture<ShutdownReport> end(Function<String, CompletableFuture<SupervisedWorker>> stop) {
        spawner.close();
        CompletableFuture<ShutdownReport> first = new CompletableFuture<>();
        CompletableFuture<ShutdownReport> promised = report.compareAndExchange(null, first);
        List<CompletableFuture<SupervisedWorker>> endings =
                workers.all().stream().map(worker -> stop.apply(worker.id)).toList();
        if (promised != null) {
            return promised;
        }
        Stream<CompletableFuture<?>> leaving = workers.leaving().stream().map(worker -> worker.successor);
        Stream<CompletableFuture<?>> gone = endings.stream().map(ending -> ending.thenCompose(worker -> worker.gone));
        CompletableFuture.allOf(Stream.concat(gone, leaving).toArray(CompletableFuture<?>[]::new))
                .whenComplete((all, failure) -> {
                    try {
                        loops.close();
                        unhook();
                        ShutdownReport counts = count(endings);
                        log.info("shutdown is complete: {}", counts);
                        first.complete(counts);
                    } catch (Throwable t) { // an Error of the JVM's: whoever waits must not wait for ever
                        first.completeExceptionally(t);
                    }
                });
        return first;
    }

    private static ShutdownReport count(List<CompletableFuture<SupervisedWorker>> endings) {
        int drained = 0;
        int exited = 0;
        int killed = 0;
        int unkillable = 0;
        for (CompletableFuture<SupervisedWorker> ending : endings) {
            if (ending.isCompletedExceptionally()) {
                continue; // it had gone before its turn came
            }
            StopSequence stop = ending.join().stop;
            switch (stop.phase()) {
                case RUNNING -> {} // it backed off: there was no process
                case UNKILLABLE -> unkillable++;
                case KILLED -> killed++;
                case DRAINING, ASKED, TERMINATED -> {
                    if (stop.drained()) {
                        drained++;
                    } else {
                        exited++;
                    }
                }
            }
        }
        return new ShutdownReport(drained + exited + killed + unkillable, drained, exited, killed, unkillable);
    }
}
