package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Durations.shorter;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.internal.Durations;
import io.github.workerregistry.internal.JdkTimer;
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

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    /** How much longer than its deadline and the kill timeout a shutdown may take. */
    private static final Duration MARGIN = Duration.ofSeconds(2);

    /** How long the JVM waits for listeners that run on the supervisor's threads; a listener may block for ever. */
    private static final Duration LISTENER_WAIT = Duration.ofSeconds(1);

    /**
     * How long the JVM's hook waits for the JDK's timer thread, which other code may block, before it begins itself.
     */
    private static final Duration TIMER_WAIT = Duration.ofMillis(500);

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

    /** The longest one: a worker may have its own. */
    private Duration killTimeout() {
        return workers.all().stream()
                .map(worker -> worker.rules().lifecycle().killTimeout())
                .reduce(killTimeout, Durations::longer);
    }

    /** Adds a JVM shutdown hook that shuts down and waits for it. */
    synchronized void hook(Duration deadline) {
        Thread thread = new Thread(() -> endWithJvm(deadline), "worker-registry-shutdown");
        Runtime.getRuntime().addShutdownHook(thread);
        hook = thread;
    }

    /**
     * Lets the JVM end even if loops, scheduler, processes or call-backs hang. This thread runs the loops if no other
     * one does; the JDK's timer thread calls the listeners.
     */
    private void endWithJvm(Duration deadline) {
        registry.supervision().deferEvents(() -> endInTime(deadline));
    }

    private void endInTime(Duration deadline) {
        Duration atMost = deadline.plus(killTimeout()).plus(MARGIN);
        long begun = System.nanoTime();
        try {
            CompletableFuture<ShutdownReport> ended = endOnTimer(id -> stopper.stopWithin(id, deadline));
            CompletableFuture<?> told = HiveFutures.forHive(ended).toCompletableFuture();
            // not ended.get(): that would complete its dependents on this thread, before the listeners
            while (!isDone(told, untilNextTick(begun, atMost)) && !ended.isDone() && isLeft(begun, atMost)) {
                runner.runIfSchedulerDoesNot();
            }
            CompletableFuture<?> delivered = deliverOnTimer();
            if (!ended.isDone()) {
                log.warn("the shutdown is not complete; remaining processes are killed, and the JVM exits");
            } else if (!isDelivered(CompletableFuture.allOf(told, delivered))) {
                log.warn("a listener has not returned within {}; the JVM exits", LISTENER_WAIT);
            }
        } catch (Throwable t) { // no memory, an interrupt
            SafeLog.warn(log, "the shutdown failed; remaining processes are killed, and the JVM exits", t);
        } finally {
            workers.all().forEach(worker -> StopLoop.signal(worker, "kill", WorkerProcess::kill));
            exits.killLate();
        }
    }

    /** Begins on the JDK's timer thread: a listener or stop request may block the thread that begins. */
    private CompletableFuture<ShutdownReport> endOnTimer(Function<String, CompletableFuture<SupervisedWorker>> stop)
            throws InterruptedException {
        CompletableFuture<CompletableFuture<ShutdownReport>> begun = new CompletableFuture<>();
        onTimer(() -> end(stop, begun));
        return isDone(begun, TIMER_WAIT) ? begun.join() : end(stop);
    }

    /** Delivers events that wait for the end of this thread's step; a listener may call {@code System.exit}. */
    private CompletableFuture<?> deliverOnTimer() {
        CompletableFuture<Void> delivered = new CompletableFuture<>();
        onTimer(() -> {
            registry.supervision().deferEvents(() -> {});
            delivered.complete(null);
        });
        return delivered;
    }

    private static void onTimer(Runnable task) {
        try {
            JdkTimer.schedule(Duration.ZERO, task);
        } catch (Throwable t) { // no thread, no memory: the hook's thread does it
            SafeLog.warn(log, "the timer cannot be used", t);
        }
    }

    /** Waits for the call-backs after the last exit, and for threads that deliver events. */
    private boolean isDelivered(CompletableFuture<?> told) throws InterruptedException {
        long begun = System.nanoTime();
        boolean done = isDone(told, LISTENER_WAIT);
        while (done && registry.supervision().isDeliveringEvents() && isLeft(begun, LISTENER_WAIT)) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        return done && !registry.supervision().isDeliveringEvents();
    }

    /** The wait for a tick; shorter if the time of the shutdown ends before it. */
    private Duration untilNextTick(long begun, Duration atMost) {
        return shorter(tickInterval, atMost.minusNanos(System.nanoTime() - begun));
    }

    private static boolean isLeft(long begun, Duration atMost) {
        return System.nanoTime() - begun < atMost.toNanos();
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

    /** Begins a shutdown, or moves the deadline of the current one earlier. */
    CompletionStage<ShutdownReport> begin(Duration deadline) {
        CompletableFuture<ShutdownReport> ended = end(id -> stopper.stopWithin(id, deadline));
        runner.outliveScheduler(); // the hive may shut its scheduler down before, or while, we shut down
        return HiveFutures.forHive(ended);
    }

    /** Kills all processes and leaves the hive's scheduler. The fallback detects the exits. */
    void now() {
        CompletableFuture<ShutdownReport> unused = end(stopper::forceKill);
        runner.leaveScheduler(killTimeout().plus(MARGIN));
    }

    /** Shuts down, runs urgent loops on the calling thread meanwhile, then kills remaining processes. */
    void andWait(Duration deadline, Duration atMost) {
        long begun = System.nanoTime();
        CompletableFuture<?> told = HiveFutures.forHive(end(id -> stopper.stopWithin(id, deadline)));
        try {
            while (!isDone(told, untilNextTick(begun, atMost)) && isLeft(begun, atMost)) {
                runner.runUrgent();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        now();
    }

    private CompletableFuture<ShutdownReport> end(Function<String, CompletableFuture<SupervisedWorker>> stop) {
        CompletableFuture<CompletableFuture<ShutdownReport>> begun = new CompletableFuture<>();
        end(stop, begun);
        return begun.join();
    }

    /**
     * Begins all stops; only then calls listeners and sends stop requests, on this thread. These may block.
     *
     * @param begun completed in between
     */
    private void end(
            Function<String, CompletableFuture<SupervisedWorker>> stop,
            CompletableFuture<CompletableFuture<ShutdownReport>> begun) {
        DeferredCallBacks.runAfter(registry, () -> begun.complete(beginStops(stop)));
    }

    private CompletableFuture<ShutdownReport> beginStops(Function<String, CompletableFuture<SupervisedWorker>> stop) {
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
