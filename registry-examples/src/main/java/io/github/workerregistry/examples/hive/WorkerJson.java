package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerInfo;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * A worker, as clients see it: the fields of {@link WorkerInfo}, which explains them.
 *
 * @param lastActivity in ISO 8601, UTC
 * @param pid null while there is no process
 * @param uptimeS in whole seconds
 */
record WorkerJson(
        String id,
        String url,
        String modelRef,
        String backend,
        int device,
        String state,
        String lastActivity,
        int slotsTotal,
        int slotsAvailable,
        int failedHealthChecks,
        Long pid,
        int restarts,
        long uptimeS) {

    static WorkerJson of(WorkerInfo worker, Instant now) {
        return new WorkerJson(
                worker.id(),
                worker.url(),
                worker.modelRef(),
                worker.backend(),
                worker.device(),
                worker.state().label(),
                worker.lastActivity().truncatedTo(ChronoUnit.MILLIS).toString(),
                worker.slotsTotal(),
                worker.slotsAvailable(),
                worker.failedHealthChecks(),
                worker.pid().isPresent() ? worker.pid().getAsLong() : null,
                worker.restarts(),
                worker.uptime(now).toSeconds());
    }
}
