package io.github.workerregistry.pool;

import io.github.workerregistry.WorkerInfo;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A model of the pool: its spec, its workers, and what has become of them. Used by the runner only. */
final class PooledModel {

    final List<PooledWorker> workers = new ArrayList<>();
    final List<LoadCall> loads = new ArrayList<>();
    final LoadFailures failures = new LoadFailures();
    final ModelTotals totals;
    ModelSpec spec;
    boolean pinned;
    boolean minimumSuspended;

    /** Whether the config has it no more: it has workers that end. */
    boolean removed;

    @Nullable
    ModelReplacement replacement;
    /** A worker has been evicted for it: the room is its own, although another model may have an older request. */
    boolean promised;

    /** A call of {@link WorkerPool#load} that waits. */
    record LoadCall(CompletableFuture<WorkerInfo> result, Instant since) {}

    PooledModel(ModelSpec spec, ModelTotals totals) {
        this.spec = spec;
        this.totals = totals;
    }

    String modelRef() {
        return spec.modelRef();
    }

    /** The config has it again. */
    PooledModel restore(ModelSpec next) {
        spec = next;
        removed = false;
        minimumSuspended = false;
        failures.forget();
        return this;
    }

    boolean hasLive() {
        return workers.stream().anyMatch(PooledWorker::isLive);
    }

    /** Whether a worker that is started now must not be leased before others are closed. */
    boolean hasOutdated() {
        return workers.stream().anyMatch(worker -> worker.isLive() && worker.isOutdated());
    }

    /** The replacement of its workers that has begun and has not ended; null if there is none. */
    @Nullable
    ModelReplacement openReplacement() {
        return replacement != null && !replacement.result().isDone() ? replacement : null;
    }

    boolean isReplaced(boolean surge) {
        ModelReplacement open = openReplacement();
        return open != null && open.isSurge() == surge;
    }
}
