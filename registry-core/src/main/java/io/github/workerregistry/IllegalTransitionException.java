package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

/**
 * The transition does not exist, or the worker's slots are leased and the hive cannot report their occupancy. Nothing
 * has changed.
 *
 * @since 0.1
 */
public final class IllegalTransitionException extends RuntimeException {

    /** The worker's id. */
    private final String workerId;

    /**
     * An exception that names the worker and both states.
     *
     * @param worker the worker as it is
     * @param next the requested state
     * @param reason why the transition is refused, in a few words
     */
    public IllegalTransitionException(WorkerInfo worker, WorkerState next, String reason) {
        super("worker " + requireNonNull(worker, "worker").id() + " cannot transition from "
                + worker.state().label() + " to " + requireNonNull(next, "next").label() + ": "
                + requireNonNull(reason, "reason"));
        this.workerId = worker.id();
    }

    /**
     * The worker that was not changed.
     *
     * @return its id
     */
    public String workerId() {
        return workerId;
    }
}
