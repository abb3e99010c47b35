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

/** Stops all workers concurrently under one deadline, counts the results, and ends the loops. */
final class Shutdown {

    private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

    /** How much longer than its deadline and the kill timeout a shutdown may take. */
    private static final Duration MARGIN = Duration.ofSeconds(2);

    /** How long the JVM waits for listeners that run on the supervisor's threads; a listener may block for ever. */
    private static final Duration LISTENER_WAIT = Duration.ofSeconds(1);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final ExitProcessor exits;
    private final LoopRunner runner;
    private final Duration killTimeout;
    private final Duration tickInterval;
    private final Runnable onEnd;
    private final AtomicReference<@Nullable CompletableFuture<ShutdownReport>> report = new AtomicReference<>();
    private @Nullable Thread hook;

    Shutdown(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            Stopper stopper,
            ExitProcessor exits,
            LoopRunner runner,
            LifecycleConfig config,
            Runnable onEnd) {
        this.registry = registry;
        this.workers = workers;
        this.stopper = stopper;
        this.exits = exits;
        this.runner = runner;
        this.killTimeout = config.killTimeout();
        this.tickInterval = config.tickInterval();
        this.onEnd = onEnd;
    }

    /** Adds a JVM shutdown hook that shuts down and waits for it. */
    synchronized void hook(Duration deadline) {
        Thread thread = new Thread(() -> endWithJvm(deadline), "worker-registry-shutdown");
        Runtime.getRuntime().addShutdownHook(thread);
        hook = thread;
    }

    /** Lets the JVM end even if loops, scheduler or processes hang. This thread runs the loops if no other one does. */
    private void endWithJvm(Duration deadline) {
        long longest = deadline.plus(killTimeout).plus(MARGIN).toNanos();
        long begun = System.nanoTime();
        try {
            CompletableFuture<ShutdownReport> ended = end(id -> stopper.stopWithin(id, deadline));
            CompletableFuture<?> told = HiveFutures.forHive(ended).toCompletableFuture();
            // not ended.get(): that would complete its dependents on this thread, before the listeners
            while (!isDone(told, tickInterval) && !ended.isDone() && System.nanoTime() - begun < longest) {
                runner.runIfSchedulerDoesNot();
            }
            if (!ended.isDone()) {
                log.warn("the shutdown is not complete; remaining processes are killed, and the JVM exits");
            } else if (!isDelivered(told)) {
                log.warn("a listener has not returned within {}; the JVM exits", LISTENER_WAIT);
            }
        } catch (Throwable t) { // no memory, an interrupt
            SafeLog.warn(log, "the shutdown failed; remaining processes are killed, and the JVM exits", t);
        } finally {
            workers.all().forEach(worker -> StopLoop.signal(worker, "kill", WorkerProcess::kill));
            exits.killLate();
        }
    }

    /** Waits for the call-backs after the last exit, and for threads that deliver events. */
    private boolean isDelivered(CompletableFuture<?> told) throws InterruptedException {
        long begun = System.nanoTime();
        boolean done = isDone(told, LISTENER_WAIT);
        while (done
                && registry.supervision().isDeliveringEvents()
                && System.nanoTime() - begun < LISTENER_WAIT.toNanos()) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        return done && !registry.supervision().isDeliveringEvents();
    }

    private static boolean isDone(CompletableFuture<?> stage, Duration atMost) throws InterruptedException {
        try {
            stage.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            log.trace("the shutdown goes on", e);
        }
        return stage.isDone();
    }

    /** Removes the hook, if there is one. */
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
        return HiveFutures.forHive(ended);
    }

    /** Kills all processes and leaves the hive's scheduler. The fallback detects the exits. */
    void now() {
        CompletableFuture<ShutdownReport> unused = end(stopper::forceKill);
        runner.leaveScheduler(killTimeout.plus(MARGIN));
    }

    /** Shuts down, runs urgent loops on the calling thread meanwhile, then kills remaining processes. */
    void andWait(Duration deadline, Duration atMost) {
        long begun = System.nanoTime();
        CompletableFuture<?> told = HiveFutures.forHive(end(id -> stopper.stopWithin(id, deadline)));
        try {
            while (!isDone(told, tickInterval) && System.nanoTime() - begun < atMost.toNanos()) {
                runner.runUrgent();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        now();
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
        Stream<CompletableFuture<?>> leaving = workers.beingRemoved().stream().map(worker -> worker.successor);
        Stream<CompletableFuture<?>> exits = endings.stream().map(ending -> ending.thenCompose(worker -> worker.exit));
        CompletableFuture.allOf(Stream.concat(exits, leaving).toArray(CompletableFuture<?>[]::new))
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
        } catch (Throwable t) { // such as OutOfMemoryError: callers must not wait for ever
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
                continue; // it had been removed before
            }
            SupervisedWorker ended = ending.join();
            if (ended.process() == null) {
                continue; // it was still being started
            }
            StopSequence stop = ended.stop;
            switch (stop.phase()) {
                case RUNNING -> {} // backing off: no process
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
