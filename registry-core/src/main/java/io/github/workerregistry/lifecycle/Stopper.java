package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.IllegalTransitionException;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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

    Stopper(WorkerRegistry registry, SupervisedWorkers workers, Exits exits, LifecycleConfig config, StopLoop stops) {
        this.registry = registry;
        this.workers = workers;
        this.exits = exits;
        this.config = config;
        this.stops = stops;
    }

    /** Drains, asks, terminates, kills. */
    CompletableFuture<ExitStatus> stop(String id) {
        return stopInGoodOrder(id, Exit.Cause.REQUESTED);
    }

    /** Stops a worker in good order, so that its next generation can follow at once. */
    CompletableFuture<ExitStatus> stopForRestart(String id) {
        return stopInGoodOrder(id, Exit.Cause.RESTART);
    }

    private CompletableFuture<ExitStatus> stopInGoodOrder(String id, Exit.Cause reason) {
        Instant drainUntil = registry.clock().instant().plus(config.drain());
        return stop(id, reason, drainUntil, drainUntil.plus(config.stopGrace()));
    }

    /** Kills the whole tree, now. */
    CompletableFuture<ExitStatus> forceKill(String id) {
        Instant now = registry.clock().instant();
        return stop(id, Exit.Cause.FORCED, now, now);
    }

    /**
     * Stops a worker so that it is killed at {@code deadline} at the latest, and drains only as long as the grace fits
     * in behind.
     */
    CompletableFuture<ExitStatus> stopBy(String id, Instant deadline) {
        Instant now = registry.clock().instant();
        Duration all = Duration.between(now, deadline);
        Duration grace = min(config.stopGrace(), all.dividedBy(2));
        return stop(id, Exit.Cause.SHUTDOWN, now.plus(min(config.drain(), all.minus(grace))), deadline);
    }

    private CompletableFuture<ExitStatus> stop(String id, Exit.Cause reason, Instant drainUntil, Instant killAt) {
        SupervisedWorker worker = workers.get(id);
        if (worker == null) {
            return CompletableFuture.failedFuture(new NoSuchWorkerException(id));
        }
        if (reason != Exit.Cause.RESTART) {
            worker.dismiss(); // whatever ends it now, no restart follows
        }
        recordIntent(worker, reason);
        Optional<ExitStatus> ended = cancelRestart(worker, reason);
        if (ended.isPresent()) {
            return CompletableFuture.completedFuture(ended.get());
        }
        worker.stop.begin(drainUntil, config.stopGrace(), killAt);
        stops.advance(worker);
        return worker.gone.copy();
    }

    /** Before anything is sent. A record that the host has put in this worker's place is left alone. */
    private void recordIntent(SupervisedWorker worker, Exit.Cause reason) {
        if (registry.get(worker.id).filter(worker::owns).isEmpty()) {
            return;
        }
        try {
            registry.updateState(worker.id, new Stopping(reason))
                    .ifPresent(stopping -> log.info("worker {} is stopping: {}", worker.id, reason));
        } catch (IllegalTransitionException stoppingOrBackingOff) {
            log.debug("worker {} is stopping, or backing off, already", worker.id);
        }
    }

    /** Removes a worker that backs off, and gives the end of its last process: there is none to end now. */
    private Optional<ExitStatus> cancelRestart(SupervisedWorker worker, Exit.Cause reason) {
        return registry.get(worker.id)
                .filter(seen -> seen.state() instanceof BackingOff)
                .flatMap(seen -> registry.remove(seen, reason))
                .map(removed -> {
                    log.info("worker {} was backing off and is not restarted: {}", worker.id, reason);
                    exits.forget(worker);
                    return ((BackingOff) removed.state()).cause().status();
                });
    }

    /**
     * Ends a worker that a loop has judged, if nothing happened to it since it was seen. Open leases are not waited
     * for: the worker is idle or loading, or what it was doing has hung.
     *
     * @return whether it is being ended
     */
    boolean endIfUnchanged(WorkerInfo seen, Exit.Cause reason) {
        return registry.updateState(seen, new Stopping(reason))
                .map(stopping -> {
                    if (!reason.isFailure()) { // of a failure, the judge warns
                        log.info(
                                "worker {} was {} and is stopping: {}",
                                seen.id(),
                                seen.state().label(),
                                reason);
                    }
                    end(stopping, reason);
                    return true;
                })
                .orElse(false);
    }

    private void end(WorkerInfo stopping, Exit.Cause reason) {
        SupervisedWorker worker = workers.get(stopping.id());
        if (worker == null) { // registered by the host: we may ask its process to end, but it is not ours to signal
            stops.ask(stopping);
            registry.remove(stopping, reason);
            return;
        }
        Instant now = registry.clock().instant();
        worker.stop.begin(now, config.stopGrace(), now.plus(config.stopGrace()));
        if (reason.isFailure()) {
            worker.stop.refuse(); // one that failed its checks is not asked over the same wire
        }
        stops.advance(worker);
    }

    /** Kills a worker whose record the host has removed. */
    void endDeregistered(SupervisedWorker worker) {
        if (worker.stop.isKilling()) {
            return;
        }
        log.info("worker {} was removed from the registry; its process is ended", worker.id);
        worker.dismiss();
        Instant now = registry.clock().instant();
        worker.stop.begin(now, Duration.ZERO, now);
        stops.advance(worker);
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }
}
