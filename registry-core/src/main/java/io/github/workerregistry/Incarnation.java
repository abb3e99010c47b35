package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.Checks;
import java.time.Instant;

/**
 * One run of a worker: one process, from its start to its exit. A restart is a new incarnation. Records of one process
 * have equal incarnations. Two workers under one id differ if they start at different instants.
 *
 * <p>An action that follows an earlier read (a timeout, a probe's answer, an exit) carries the incarnation that it is
 * for.
 *
 * @param workerId the worker's id, a name as in {@link WorkerInfo}
 * @param generation the number of the worker's process, &ge; 0; each restart adds one
 * @param startedAt when this generation was started, by the registry's clock
 * @since 0.1
 */
public record Incarnation(String workerId, int generation, Instant startedAt) {

    /**
     * Checks the components.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if {@code workerId} is not a name, or {@code generation} is negative
     */
    public Incarnation {
        Checks.requireName(workerId, "workerId");
        Checks.requireAtLeast(0, generation, "generation");
        requireNonNull(startedAt, "startedAt");
    }

    static Incarnation of(WorkerInfo worker) {
        return new Incarnation(worker.id(), worker.generation(), worker.startedAt());
    }
}
