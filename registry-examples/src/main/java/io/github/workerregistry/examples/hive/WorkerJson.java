package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerInfo;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * A worker in JSON: the fields of {@link WorkerInfo}, which documents them.
 *
 * @param lastActivity in ISO 8601, UTC
 * @param pid null while it has no process
 * @param lastHeartbeat as {@code lastActivity}; null if none was sent
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
        int generation,
        int restarts,
        String lastHeartbeat,
        long uptimeS) {

    static WorkerJson of(WorkerInfo worker, Instant now) {
        return new WorkerJson(
                worker.id(),
                worker.url(),
                worker.modelRef(),
                worker.backend(),
                worker.device(),
                worker.state().label(),
                time(worker.lastActivity()),
                worker.slotsTotal(),
                worker.slotsAvailable(),
                worker.failedHealthChecks(),
                worker.pid().isPresent() ? worker.pid().getAsLong() : null,
                worker.generation(),
                worker.restarts(),
                worker.lastHeartbeat().map(WorkerJson::time).orElse(null),
                worker.uptime(now).toSeconds());
    }

    private static String time(Instant instant) {
        return instant.truncatedTo(ChronoUnit.MILLIS).toString();
    }
}
