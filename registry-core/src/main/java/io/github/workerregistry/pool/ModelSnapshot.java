package io.github.workerregistry.pool;

import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A model of the pool, at one moment.
 *
 * @param spec its spec
 * @param pinned whether its workers are neither evicted nor stopped when idle
 * @param keepsMinimum whether {@code minWorkers} are to be loaded; not after {@link WorkerPool#unload}
 * @param idleTimeout how long a worker may be idle
 * @param failure its last failed load, if it has not been ready since
 * @param demand what waits for it
 * @param workers those of the pool, in the order of their starts
 * @param foreign other workers of the model, that are routable or loading: they serve, but are not the pool's
 * @param isReplacing whether outdated workers serve until one of the present revision is ready, which is to be started
 */
record ModelSnapshot(
        ModelSpec spec,
        boolean pinned,
        boolean keepsMinimum,
        Optional<Duration> idleTimeout,
        Optional<LoadFailure> failure,
        Demand demand,
        List<WorkerSnapshot> workers,
        List<WorkerInfo> foreign,
        boolean isReplacing) {

    /** A model whose workers are not being replaced. */
    ModelSnapshot(
            ModelSpec spec,
            boolean pinned,
            boolean keepsMinimum,
            Optional<Duration> idleTimeout,
            Optional<LoadFailure> failure,
            Demand demand,
            List<WorkerSnapshot> workers,
            List<WorkerInfo> foreign) {
        this(spec, pinned, keepsMinimum, idleTimeout, failure, demand, workers, foreign, false);
    }

    ModelSnapshot {
        workers = List.copyOf(workers);
        foreign = List.copyOf(foreign);
    }

    String modelRef() {
        return spec.modelRef();
    }

    int minimum() {
        return keepsMinimum ? spec.minWorkers() : 0;
    }

    /** Whether it is not loaded for requests now, because a load has failed. */
    boolean isBlocked(Instant now) {
        return demand.loads() == 0 && failure.filter(last -> last.blocks(now)).isPresent();
    }

    boolean isLoading() {
        return workers.stream().anyMatch(WorkerSnapshot::isLoading);
    }

    /** Whether no other load may begin: one is in progress, or has failed and has not exited. */
    boolean hasOpenLoad() {
        return workers.stream()
                .anyMatch(worker -> worker.isLoading() || worker.phase() == WorkerSnapshot.Phase.FAILING);
    }

    boolean hasLive() {
        return !foreign.isEmpty() || workers.stream().anyMatch(WorkerSnapshot::isLive);
    }

    /** The number of workers that serve, or will without another one being closed first. */
    long live() {
        return workers.stream()
                .filter(worker -> worker.isLive() && !worker.held())
                .count();
    }

    /** Whether no further worker may be started. */
    boolean isFull() {
        return workers.stream().filter(this::counts).count() >= spec.maxWorkers();
    }

    /**
     * Whether a worker counts against {@code maxWorkers}: not if it can run beside the one that replaces it, and not if
     * it could not be killed, though that one holds its room.
     */
    boolean counts(WorkerSnapshot worker) {
        return !worker.isUnkillable() && (!worker.outdated() || !Revision.canSurge(spec));
    }

    /** Whether a worker of the present revision is to be started in place of those that serve. */
    boolean needsReplacement() {
        return isReplacing && workers.stream().noneMatch(worker -> worker.isLive() && !worker.outdated());
    }

    /** Whether a worker serves these constraints, or will when it has loaded. */
    boolean serves(SlotRequest ask) {
        return foreign.stream().anyMatch(ask::matches)
                || workers.stream().anyMatch(worker -> worker.isLive() && ask.matches(worker.info()));
    }

    /** Whether a request waits that the worker would serve. */
    boolean isWaitedFor(WorkerSnapshot worker) {
        return demand.asks().stream().anyMatch(ask -> ask.matches(worker.info()));
    }

    /** Whether a request waits that the worker would serve, and that has waited since before it was ready. */
    boolean isWaitedForSinceItsLoad(WorkerSnapshot worker) {
        return demand.waits().entrySet().stream()
                .anyMatch(ask -> ask.getValue().compareTo(worker.readyFor()) > 0
                        && ask.getKey().matches(worker.info()));
    }
}
