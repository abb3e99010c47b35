package io.github.workerregistry.pool;

import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.StopReason;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a pass does.
 *
 * @param steps in this order
 * @param watched ids of busy workers: when one of them is idle, another pass is needed
 * @param wakeIn when another pass is needed, if nothing happens until then
 */
record Plan(List<Step> steps, Set<String> watched, Optional<Duration> wakeIn) {

    Plan {
        steps = List.copyOf(steps);
        watched = Set.copyOf(watched);
    }

    /** One effect. */
    sealed interface Step {}

    /** Starts a worker. */
    record Start(String modelRef, Placement placement) implements Step {}

    /** Evicts a worker for another model. */
    record Evict(WorkerSnapshot worker, String forModel, EvictionReason reason) implements Step {}

    /** Stops a worker that is not needed, if it is still idle, or loading. */
    record Stop(WorkerSnapshot worker, StopReason reason) implements Step {}

    /**
     * Closes workers of an earlier revision to new leases; then lets slots of others be leased.
     *
     * @param closed busy or idle; they drain without a limit, and are stopped
     * @param opened ready, and held until now
     */
    record Switch(String modelRef, List<WorkerSnapshot> closed, List<WorkerSnapshot> opened) implements Step {}

    /** Fails requests that wait: those with these constraints, and if {@code loads}, also calls of load. */
    record Refuse(String modelRef, Refusal refusal, List<SlotRequest> asks, boolean loads, String why)
            implements Step {}

    /** With what requests fail. */
    enum Refusal {
        /** {@link ModelLoadFailedException}. */
        LOAD_FAILED,
        /** {@link NoCapacityException}. */
        NO_CAPACITY,
        /** {@link io.github.workerregistry.NoWorkerException}. */
        NO_WORKER
    }
}
