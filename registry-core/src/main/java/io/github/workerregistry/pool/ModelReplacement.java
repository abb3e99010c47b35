package io.github.workerregistry.pool;

import io.github.workerregistry.pool.PooledModel.LoadCall;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The workers of a model are being replaced by those of its present revision.
 *
 * @param load what loads the new worker when the old ones have been closed; null if they serve until one is ready
 * @param result completes when a new worker is ready and no old one is leased
 */
record ModelReplacement(@Nullable LoadCall load, CompletableFuture<Void> result) {

    static ModelReplacement surge() {
        return new ModelReplacement(null, new CompletableFuture<>());
    }

    static ModelReplacement inPlace(Instant now) {
        LoadCall load = new LoadCall(new CompletableFuture<>(), now);
        CompletableFuture<Void> result = new CompletableFuture<>();
        load.result().whenComplete((ready, failure) -> {
            if (failure == null) {
                result.complete(null);
            } else {
                result.completeExceptionally(failure);
            }
        });
        return new ModelReplacement(load, result);
    }

    boolean isSurge() {
        return load == null;
    }
}
