package io.github.workerregistry.pool;

import io.github.workerregistry.WorkerInfo;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A model of the pool: its spec, its workers, and what has become of them. Used by the runner only. */
final class PooledModel {

    final List<PooledWorker> workers = new ArrayList<>();
    final List<LoadCall> loads = new ArrayList<>();
    final LoadFailures failures = new LoadFailures();
    final ModelTotals totals;
    ModelSpec spec;
    boolean pinned;
    boolean minimumSuspended;

    /** A call of {@link WorkerPool#load} that waits. */
    record LoadCall(CompletableFuture<WorkerInfo> result, Instant since) {}

    PooledModel(ModelSpec spec, ModelTotals totals) {
        this.spec = spec;
        this.totals = totals;
    }

    String modelRef() {
        return spec.modelRef();
    }

    boolean hasLive() {
        return workers.stream()
                .anyMatch(worker ->
                        worker.phase() == WorkerSnapshot.Phase.LOADING || worker.phase() == WorkerSnapshot.Phase.READY);
    }
}
