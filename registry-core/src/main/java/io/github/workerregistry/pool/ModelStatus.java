package io.github.workerregistry.pool;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A model of a pool, at one moment.
 *
 * @param modelRef the model
 * @param state whether it can be used
 * @param pinned whether it is neither evicted nor stopped when idle
 * @param workers its workers in this pool, in the order of their starts, also those that end; unmodifiable. The record
 *     of one that is just being started is not in the registry yet
 * @param unkillable the ids of those of them whose process has survived SIGKILL; unmodifiable. They keep their room
 *     until it exits
 * @param waiting number of requests that wait for a slot
 * @param longestWait how long the oldest of them has waited; zero if there is none
 * @param failure the last failed load, if the model has not been ready since
 * @since 0.1
 */
public record ModelStatus(
        String modelRef,
        State state,
        boolean pinned,
        List<WorkerInfo> workers,
        Set<String> unkillable,
        int waiting,
        Duration longestWait,
        Optional<Failure> failure) {

    /**
     * Whether a model can be used. May gain members.
     *
     * @since 0.1
     */
    public enum State {
        /** No worker; a request loads it. */
        UNLOADED,
        /** The first worker loads. */
        LOADING,
        /** A worker is ready. */
        READY,
        /** The last load failed; requests fail until {@link Failure#retryAt()}. */
        FAILED,
        /** The last worker is being stopped. */
        STOPPING
    }

    /**
     * A failed load.
     *
     * @param exit how it ended; empty if the process could not be started
     * @param retryAt when a request loads the model again; empty: only {@link WorkerPool#load} does
     * @since 0.1
     */
    public record Failure(Optional<Exit> exit, Optional<Instant> retryAt) {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Failure {
            requireNonNull(exit, "exit");
            requireNonNull(retryAt, "retryAt");
        }
    }

    /**
     * Copies list and set.
     *
     * @throws NullPointerException if a component is null; the message names it
     */
    public ModelStatus {
        requireNonNull(modelRef, "modelRef");
        requireNonNull(state, "state");
        workers = List.copyOf(requireNonNull(workers, "workers"));
        unkillable = Set.copyOf(requireNonNull(unkillable, "unkillable"));
        requireNonNull(longestWait, "longestWait");
        requireNonNull(failure, "failure");
    }

    static ModelStatus of(ModelSnapshot model, Instant now) {
        return new ModelStatus(
                model.modelRef(),
                state(model, now),
                model.pinned(),
                model.workers().stream().map(WorkerSnapshot::info).toList(),
                model.workers().stream()
                        .filter(WorkerSnapshot::isUnkillable)
                        .map(WorkerSnapshot::id)
                        .collect(Collectors.toUnmodifiableSet()),
                model.demand().waiting(),
                model.demand().longestWait(),
                model.failure().map(failure -> new Failure(failure.exit(), failure.retryAt())));
    }

    private static State state(ModelSnapshot model, Instant now) {
        if (model.workers().stream().anyMatch(worker -> worker.phase() == WorkerSnapshot.Phase.READY)) {
            return State.READY;
        }
        if (model.isLoading()) {
            return State.LOADING;
        }
        if (model.isBlocked(now)) {
            return State.FAILED;
        }
        return model.workers().isEmpty() ? State.UNLOADED : State.STOPPING;
    }
}
