package io.github.workerregistry.examples.hive;

import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.pool.UnknownModelException;
import io.github.workerregistry.pool.WorkerPool;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * The slots of requests: of the models that are configured, which the pool loads on demand; and of workers that were
 * started through the API, which it leaves alone.
 */
final class Slots {

    private final WorkerRegistry registry;
    private final Optional<WorkerPool> pool;
    private final AcquireTimes times;

    Slots(WorkerRegistry registry, Optional<WorkerPool> pool, AcquireTimes times) {
        this.registry = registry;
        this.pool = pool;
        this.times = times;
    }

    /** A free slot. */
    Optional<SlotLease> tryAcquire(SlotRequest request) {
        Optional<SlotLease> free = free(request);
        free.ifPresent(lease -> times.granted());
        return free;
    }

    private Optional<SlotLease> free(SlotRequest request) {
        if (pool.isPresent()) {
            try {
                return pool.get().tryAcquire(request);
            } catch (UnknownModelException e) {
                return registry.tryAcquire(request);
            }
        }
        return registry.tryAcquire(request);
    }

    /**
     * Waits for a slot, and loads the model if it is configured.
     *
     * @throws Refusal if the model is unknown
     */
    PendingSlot acquire(SlotRequest request, Duration timeout, Executor executor) {
        if (pool.isPresent()) {
            try {
                return times.measured(pool.get().acquireAsync(request, timeout, executor));
            } catch (UnknownModelException e) {
                // perhaps started through the API
            }
        }
        if (registry.list(request.modelRef()).isEmpty()) {
            times.absent();
            throw new Refusal(404, "no_such_model", "no worker serves this model_ref");
        }
        return times.measured(registry.acquireAsync(request, timeout, executor));
    }
}
