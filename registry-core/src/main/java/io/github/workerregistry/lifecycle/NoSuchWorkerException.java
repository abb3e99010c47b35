package io.github.workerregistry.lifecycle;

/**
 * The supervisor has no worker with this id: it never spawned one, or the worker has been removed.
 *
 * @since 0.1
 */
public final class NoSuchWorkerException extends RuntimeException {

    /** The unknown id. */
    private final String workerId;

    NoSuchWorkerException(String workerId) {
        super("no worker " + workerId + " is supervised here");
        this.workerId = workerId;
    }

    /**
     * The unknown id.
     *
     * @return the id
     */
    public String workerId() {
        return workerId;
    }
}
