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
 */
record ModelSnapshot(
        ModelSpec spec,
        boolean pinned,
        boolean keepsMinimum,
        Optional<Duration> idleTimeout,
        Optional<LoadFailure> failure,
        Demand demand,
        List<WorkerSnapshot> workers,
        List<WorkerInfo> foreign) {

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

    long live() {
        return workers.stream().filter(WorkerSnapshot::isLive).count();
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
}
