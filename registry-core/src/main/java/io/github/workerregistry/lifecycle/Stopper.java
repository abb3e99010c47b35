package io.github.workerregistry.lifecycle;

import io.github.workerregistry.IllegalTransitionException;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides how a worker is stopped, and records the reason. The reason is recorded in the registry before any signal is
 * sent, so an exit by the supervisor's SIGTERM never counts as a crash. {@link StopLoop} sends the signals.
 */
final class Stopper {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final ExitProcessor exits;
    private final StopLoop stops;
    private final LoopRunner runner;

    Stopper(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            ExitProcessor exits,
            StopLoop stops,
            LoopRunner runner) {
        this.registry = registry;
        this.workers = workers;
        this.exits = exits;
        this.stops = stops;
        this.runner = runner;
    }

    /**
     * Stops a worker gracefully, with the configured drain time.
     *
     * @return completes, at once or in the worker's serial executor, with the generation that is being stopped or has
     *     exited
     */
    CompletableFuture<SupervisedWorker> stop(String id) {
        return stop(id, StopReason.REQUESTED, StopLimits::graceful);
    }

    /** Stops a worker gracefully, with the given reason and drain time; empty: no limit. */
    CompletableFuture<SupervisedWorker> stop(String id, StopReason reason, Optional<Duration> drain) {
        return stop(id, reason, config -> StopLimits.graceful(config, drain));
    }

    /** Kills the whole process tree at once. */
    CompletableFuture<SupervisedWorker> forceKill(String id) {
        return stop(id, StopReason.FORCED, config -> StopLimits.AT_ONCE);
    }

    /** Stops a worker that is killed after {@code deadline} at the latest. */
    CompletableFuture<SupervisedWorker> stopWithin(String id, Duration deadline) {
        return stop(id, StopReason.SHUTDOWN, config -> StopLimits.within(config, deadline));
    }

    /** Stops a worker, in whatever generation it is now, because another one has replaced it. Drains without limit. */
    CompletableFuture<SupervisedWorker> stopReplaced(SupervisedWorker known) {
        CompletableFuture<SupervisedWorker> ending = new CompletableFuture<>();
        decide(known, ending, worker -> stopForGood(worker, ending, StopReason.REPLACED, StopLimits.NONE));
        return ending;
    }

    private CompletableFuture<SupervisedWorker> stop(
            String id, StopReason reason, Function<LifecycleConfig, StopLimits> limits) {
        CompletableFuture<SupervisedWorker> ending = new CompletableFuture<>();
        decide(
                id,
                ending,
                worker -> stopForGood(
                        worker, ending, reason, limits.apply(worker.rules().lifecycle())));
        return ending;
    }

    private void stopForGood(
            SupervisedWorker worker, CompletableFuture<SupervisedWorker> ending, StopReason reason, StopLimits limits) {
        worker.forbidRestart(); // no restart follows, however it exits
        try {
            if (worker.hasExited()) {
                exits.cancelRestart(worker, reason);
            } else {
                begin(worker, new Stopping(reason), limits);
            }
        } finally {
            ending.complete(worker);
        }
    }

    /** Stops a worker gracefully; its next generation follows at once. In the worker's serial executor. */
    void stopForRestart(SupervisedWorker worker) {
        drain(worker, StopReason.RESTART);
    }

    /** As {@link #stopForRestart}, for a next generation with another spec. Drains without limit. */
    void stopToReplaceInPlace(SupervisedWorker worker) {
        begin(worker, new Stopping(StopReason.REPLACED, true), StopLimits.NONE);
    }

    private void drain(SupervisedWorker worker, StopReason reason) {
        begin(worker, new Stopping(reason), StopLimits.graceful(worker.rules().lifecycle()));
    }

    /** Runs a decision about the current generation of a worker, in its serial executor. */
    void decide(String id, CompletableFuture<?> result, Consumer<SupervisedWorker> decision) {
        SupervisedWorker known = workers.get(id);
        if (known == null) {
            result.completeExceptionally(new NoSuchWorkerException(id));
        } else {
            decide(known, result, decision);
        }
    }

    /** Runs a decision about the current generation of the worker of which one generation is known. */
    void decide(SupervisedWorker known, CompletableFuture<?> result, Consumer<SupervisedWorker> decision) {
        known.decide(() -> {
            SupervisedWorker present = workers.get(known.id);
            if (present == null || !present.series.isOfSameWorker(known.series)) {
                result.completeExceptionally(new NoSuchWorkerException(known.id));
                return;
            }
            try {
                decision.accept(present);
            } catch (Throwable t) { // no memory, or the log
                result.completeExceptionally(t);
                throw t;
            }
        });
    }

    private void begin(SupervisedWorker worker, Stopping intent, StopLimits limits) {
        try {
            recordIntent(worker, intent);
        } finally { // a Stopping record always has a running stop
            begin(worker, limits);
        }
    }

    private void begin(SupervisedWorker worker, StopLimits limits) {
        if (exits.cancelStart(worker)) {
            return; // no process, now or later
        }
        if (!runner.isClosed()) { // else no loop would detect the unkillable process again
            worker.resetAfterUnkillable();
        }
        Duration grace = worker.rules().lifecycle().stopGrace();
        worker.stop.begin(registry.clock().instant(), limits.drain(), grace, limits.untilKill());
        stops.advance(worker);
        runner.ensureRunning();
    }

    /** Records the reason before any signal is sent. A record that the hive has replaced is not changed. */
    private void recordIntent(SupervisedWorker worker, Stopping intent) {
        try {
            registry.get(worker.id)
                    .filter(worker::owns)
                    .flatMap(own -> registry.supervision().transition(own.incarnation(), intent))
                    .ifPresent(stopping -> log.info("worker {} is stopping: {}", worker.name, intent.reason()));
        } catch (IllegalTransitionException stoppingAlready) {
            log.debug("worker {} is stopping already", worker.name);
        }
    }

    /**
     * Stops a worker without a drain if it is unchanged since it was read. Used by loops: the worker is idle, loading,
     * or hung.
     *
     * @return whether it is being stopped
     */
    boolean endIfUnchanged(WorkerInfo seen, StopReason reason) {
        SupervisedWorker worker = workers.get(seen.id()); // first: in a moment there may be a next one
        Optional<WorkerInfo> stopping = registry.supervision().transitionIfUnchanged(seen, new Stopping(reason));
        stopping.ifPresent(record -> {
            if (!reason.isFailure()) { // else stopFailed warns
                log.info(
                        "worker {} was {} and is stopping: {}",
                        WorkerName.of(seen),
                        seen.state().label(),
                        reason);
            }
            end(worker, record, reason);
        });
        return stopping.isPresent();
    }

    /** Stops a failed worker if it is unchanged since it was read, and logs a warning. */
    void stopFailed(WorkerInfo seen, StopReason reason, String detail) {
        if (endIfUnchanged(seen, reason)) {
            log.warn("worker {} is stopped: {}, {}", WorkerName.of(seen), reason, detail);
        }
    }

    /** Drains and stops a worker that is alive but fails its requests, and logs a warning. A restart may follow. */
    void stopForFailedRequests(WorkerInfo failed, int failures, Throwable cause) {
        String detail = failures + " checks after failed requests found it alive; the last request failed with "
                + LogText.describe(cause);
        SupervisedWorker worker = workers.get(failed.id());
        if (worker == null || !worker.owns(failed)) {
            routable(failed).ifPresent(now -> stopFailed(now, StopReason.REQUESTS_FAILED, detail));
            return;
        }
        worker.decide(() -> {
            if (!worker.hasExited() && routable(failed).isPresent()) {
                log.warn("worker {} is stopped: {}, {}", worker.name, StopReason.REQUESTS_FAILED, detail);
                drain(worker, StopReason.REQUESTS_FAILED);
            }
        });
    }

    /** The worker now, if it is the same incarnation and accepts requests. */
    private Optional<WorkerInfo> routable(WorkerInfo worker) {
        return registry.get(worker.id())
                .filter(now -> now.incarnation().equals(worker.incarnation())
                        && now.state().routable());
    }

    private void end(@Nullable SupervisedWorker worker, WorkerInfo stopping, StopReason reason) {
        if (worker == null || !isRecordOf(worker, stopping)) {
            // registered by the hive: send the stop request, but no signal
            stops.ask(stopping, workers.defaults());
            registry.supervision().removeIfUnchanged(stopping, reason);
            return;
        }
        worker.decide(() -> {
            if (reason.isFailure()) {
                worker.stop.refuse(); // it failed over HTTP: skip the stop request
            }
            begin(
                    worker,
                    new StopLimits(Duration.ZERO, worker.rules().lifecycle().stopGrace()));
        });
    }

    /** A snapshot may be older than the attached process; then the current record has the pid. */
    private boolean isRecordOf(SupervisedWorker worker, WorkerInfo record) {
        return worker.owns(record)
                || (worker.isGenerationOf(record)
                        && registry.get(worker.id).filter(worker::owns).isPresent());
    }

    /** Kills a worker whose record the hive has removed. */
    void endDeregistered(SupervisedWorker worker) {
        worker.decide(() -> endUnlessExited(worker));
    }

    private void endUnlessExited(SupervisedWorker worker) {
        if (!worker.hasExited()) { // else it was removed because of its exit
            log.info("worker {} was removed from the registry; its process is killed", worker.name);
            worker.forbidRestart();
            begin(worker, StopLimits.AT_ONCE);
        }
    }
}
