package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerRegistry;
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

    /** How long the JVM waits for listeners on our threads to be told of the last exits: one may block for ever. */
    private static final Duration LISTENER_WAIT = Duration.ofSeconds(1);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final Exits exits;
    private final LoopRunner runner;
    private final Duration killWait;
    private final Duration sweep;
    private final Runnable onEnd;
    private final AtomicReference<@Nullable CompletableFuture<ShutdownReport>> report = new AtomicReference<>();
    private @Nullable Thread hook;

    Shutdown(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            Stopper stopper,
            Exits exits,
            LoopRunner runner,
            LifecycleConfig config,
            Runnable onEnd) {
        this.registry = registry;
        this.workers = workers;
        this.stopper = stopper;
        this.exits = exits;
        this.runner = runner;
        this.killWait = config.killWait();
        this.sweep = config.sweep();
        this.onEnd = onEnd;
    }

    /** Shuts down when the JVM does, and keeps it waiting until then. */
    synchronized void hook(Duration deadline) {
        Thread thread = new Thread(() -> endWithJvm(deadline), "worker-registry-shutdown");
        Runtime.getRuntime().addShutdownHook(thread);
        hook = thread;
    }

    /**
     * A JVM must come to its end, whatever our loops, their scheduler or a process do. This thread runs the loops where
     * no other one does.
     */
    private void endWithJvm(Duration deadline) {
        long longest = deadline.plus(killWait).plus(MARGIN).toNanos();
        long begun = System.nanoTime();
        try {
            CompletableFuture<ShutdownReport> ended = end(id -> stopper.stopWithin(id, deadline));
            CompletableFuture<?> told = Stages.forHive(ended).toCompletableFuture();
            // Not ended.get(): that would complete its dependents on this thread, before listeners have been told.
            while (!isDone(told, sweep) && !ended.isDone() && System.nanoTime() - begun < longest) {
                runner.help();
            }
            if (!ended.isDone()) {
                log.warn("the shutdown is not complete; what is left is killed, and the JVM ends");
            } else if (!isDelivered(told)) {
                log.warn("a listener has not returned within {}; the JVM ends", LISTENER_WAIT);
            }
        } catch (Throwable t) { // no memory, an interrupt
            LastResort.warn(log, "the shutdown failed; what is left is killed, and the JVM ends", t);
        } finally {
            workers.all().forEach(worker -> StopLoop.signal(worker, "kill", WorkerProcess::kill));
            exits.killLate();
        }
    }

    /** Waits for call-backs of the thread that ended the last worker, and for threads that deliver events. */
    private boolean isDelivered(CompletableFuture<?> told) throws InterruptedException {
        long begun = System.nanoTime();
        boolean done = isDone(told, LISTENER_WAIT);
        while (done && registry.isDeliveringEvents() && System.nanoTime() - begun < LISTENER_WAIT.toNanos()) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        return done && !registry.isDeliveringEvents();
    }

    private static boolean isDone(CompletableFuture<?> stage, Duration atMost) throws InterruptedException {
        try {
            stage.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            log.trace("the shutdown goes on", e);
        }
        return stage.isDone();
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
        CompletableFuture<ShutdownReport> ended = end(id -> stopper.stopWithin(id, deadline));
        runner.outliveScheduler(); // the hive may shut its scheduler down before, or while, we shut down
        return Stages.forHive(ended);
    }

    /** Kills, and leaves the hive's scheduler. What has to be waited for is waited for without it. */
    void now() {
        CompletableFuture<ShutdownReport> unused = end(stopper::forceKill);
        runner.leaveScheduler(killWait.plus(MARGIN));
    }

    private CompletableFuture<ShutdownReport> end(Function<String, CompletableFuture<SupervisedWorker>> stop) {
        workers.close();
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
                .whenComplete((all, failure) -> complete(first, endings));
        return first;
    }

    private void complete(CompletableFuture<ShutdownReport> first, List<CompletableFuture<SupervisedWorker>> endings) {
        try {
            runner.close();
            unhook();
            exits.killLate();
            exits.finishReleases();
            onEnd.run();
            ShutdownReport counts = count(endings);
            log.info("shutdown is complete: {}", counts);
            first.complete(counts);
        } catch (Throwable t) { // an Error of the JVM's: who waits must not wait for ever
            first.completeExceptionally(t);
        }
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
            SupervisedWorker ended = ending.join();
            if (ended.process() == null) {
                continue; // it was still being started
            }
            StopSequence stop = ended.stop;
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
