package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

/** A worker's life has no such edge, or its slots are leased and not the caller's to report. Nothing has changed. */
public final class IllegalTransitionException extends RuntimeException {

    /** The worker that was to change. */
    private final String workerId;

    /**
     * An exception that names the worker and both states.
     *
     * @param worker the worker as it is
     * @param next the state that was asked for
     * @param reason why it is refused, in a few words
     */
    public IllegalTransitionException(WorkerInfo worker, WorkerState next, String reason) {
        super("worker " + requireNonNull(worker, "worker").id() + " cannot go from "
                + worker.state().label() + " to " + requireNonNull(next, "next").label() + ": "
                + requireNonNull(reason, "reason"));
        this.workerId = worker.id();
    }

    /**
     * The worker that was to change.
     *
     * @return its id
     */
    public String workerId() {
        return workerId;
    }
}
