package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Durations.shorter;

import io.github.workerregistry.Exit;
import io.github.workerregistry.IllegalTransitionException;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides how a worker is ended, and records why. Intent is recorded in the registry before anything is sent, so our
 * own SIGTERM is never taken for a crash. What is sent, and when, is {@link StopLoop}'s.
 */
final class Stopper {

    private static final Logger log = LoggerFactory.getLogger(Stopper.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Exits exits;
    private final LifecycleConfig config;
    private final StopLoop stops;
    private final LoopRunner runner;

    Stopper(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            Exits exits,
            LifecycleConfig config,
            StopLoop stops,
            LoopRunner runner) {
        this.registry = registry;
        this.workers = workers;
        this.exits = exits;
        this.config = config;
        this.stops = stops;
        this.runner = runner;
    }

    /**
     * Drains, asks, terminates, kills.
     *
     * @return completes, at once or in the worker's turn, with the generation that is being ended, or had ended
     */
    CompletableFuture<SupervisedWorker> stop(String id) {
        return stop(id, Exit.Cause.REQUESTED, config.drain(), config.drain().plus(config.stopGrace()));
    }

    /** Kills the whole tree, now. */
    CompletableFuture<SupervisedWorker> forceKill(String id) {
        return stop(id, Exit.Cause.FORCED, Duration.ZERO, Duration.ZERO);
    }

    /**
     * Stops a worker so that it is killed after {@code deadline} at the latest, and drains only as long as the grace
     * fits in behind.
     */
    CompletableFuture<SupervisedWorker> stopWithin(String id, Duration deadline) {
        Duration grace = shorter(config.stopGrace(), deadline.dividedBy(2));
        return stop(id, Exit.Cause.SHUTDOWN, shorter(config.drain(), deadline.minus(grace)), deadline);
    }

    private CompletableFuture<SupervisedWorker> stop(String id, Exit.Cause reason, Duration drain, Duration untilKill) {
        CompletableFuture<SupervisedWorker> ending = new CompletableFuture<>();
        decide(id, ending, worker -> {
            worker.dismiss(); // whatever ends it now, no restart follows
            try {
                if (worker.hasExited()) {
                    exits.cancelRestart(worker, reason);
                } else {
                    begin(worker, reason, drain, untilKill);
                }
            } finally {
                ending.complete(worker);
            }
        });
        return ending;
    }

    /** Stops a worker in good order, so that its next generation can follow at once. In the worker's turn. */
    void stopForRestart(SupervisedWorker worker) {
        begin(worker, Exit.Cause.RESTART, config.drain(), config.drain().plus(config.stopGrace()));
    }

    /** Decides, in its turn, about whatever generation of a worker is the present one then. */
    void decide(String id, CompletableFuture<?> result, Consumer<SupervisedWorker> decision) {
        SupervisedWorker known = workers.get(id);
        if (known == null) {
            result.completeExceptionally(new NoSuchWorkerException(id));
            return;
        }
        known.decide(() -> {
            SupervisedWorker present = workers.get(id);
            if (present == null || !present.lineage.equals(known.lineage)) {
                result.completeExceptionally(new NoSuchWorkerException(id));
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

    private void begin(SupervisedWorker worker, Exit.Cause reason, Duration drain, Duration untilKill) {
        try {
            recordIntent(worker, reason);
        } finally { // a record that is Stopping has a stop under way
            begin(worker, drain, untilKill);
        }
    }

    private void begin(SupervisedWorker worker, Duration drain, Duration untilKill) {
        if (exits.cancelStart(worker)) {
            return; // there is no process, and there will be none
        }
        if (!runner.isClosed()) { // else there is nothing that would find the process unkillable again
            worker.waitAgain();
        }
        worker.stop.begin(registry.clock().instant(), drain, config.stopGrace(), untilKill);
        stops.advance(worker);
        runner.ensureGoingOn();
    }

    /** Before anything is sent. A record that the host has put in this worker's place is left alone. */
    private void recordIntent(SupervisedWorker worker, Exit.Cause reason) {
        try {
            registry.get(worker.id)
                    .filter(worker::owns)
                    .flatMap(own -> registry.updateStateOf(own, new Stopping(reason)))
                    .ifPresent(stopping -> log.info("worker {} is stopping: {}", worker.id, reason));
        } catch (IllegalTransitionException stoppingAlready) {
            log.debug("worker {} is stopping already", worker.id);
        }
    }

    /**
     * Ends a worker that a loop has judged, if nothing happened to it since it was seen. Open leases are not waited
     * for: the worker is idle or loading, or what it was doing has hung.
     *
     * @return whether it is being ended
     */
    boolean endIfUnchanged(WorkerInfo seen, Exit.Cause reason) {
        SupervisedWorker worker = workers.get(seen.id()); // first: in a moment there may be a next one
        Optional<WorkerInfo> stopping = registry.updateStateIfUnchanged(seen, new Stopping(reason));
        stopping.ifPresent(record -> {
            if (!reason.isFailure()) { // of a failure, the judge warns
                log.info(
                        "worker {} was {} and is stopping: {}",
                        seen.id(),
                        seen.state().label(),
                        reason);
            }
            end(worker, record, reason);
        });
        return stopping.isPresent();
    }

    private void end(@Nullable SupervisedWorker worker, WorkerInfo stopping, Exit.Cause reason) {
        if (worker == null || !isRecordOf(worker, stopping)) {
            // Registered by the host: we may ask its process to end, but it is not ours to signal.
            stops.ask(stopping);
            registry.removeIfUnchanged(stopping, reason);
            return;
        }
        worker.decide(() -> {
            if (reason.isFailure()) {
                worker.stop.refuse(); // one that failed its checks is not asked over the same wire
            }
            begin(worker, Duration.ZERO, config.stopGrace());
        });
    }

    /** A record may have been read right before its process was attached; then the present one has the pid. */
    private boolean isRecordOf(SupervisedWorker worker, WorkerInfo record) {
        return worker.owns(record)
                || (worker.isGenerationOf(record)
                        && registry.get(worker.id).filter(worker::owns).isPresent());
    }

    /** Kills a worker whose record the host has removed. */
    void endDeregistered(SupervisedWorker worker) {
        if (worker.stop.isKilling()) {
            return;
        }
        log.info("worker {} was removed from the registry; its process is ended", worker.id);
        worker.decide(() -> {
            worker.dismiss();
            begin(worker, Duration.ZERO, Duration.ZERO);
        });
    }
}
