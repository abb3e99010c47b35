package io.github.workerregistry;

/**
 * The transition does not exist, or the worker's slots are leased and the hive cannot report their occupancy. Nothing
 * has changed.
 *
 * @since 0.1
 */
public final class IllegalTransitionException extends RuntimeException {

    /** The worker's id. */
    private final String workerId;

    IllegalTransitionException(WorkerInfo worker, WorkerState next, String reason) {
        super("worker " + worker.id() + " cannot transition from "
                + worker.state().label() + " to " + next.label() + ": " + reason);
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
