package io.github.workerregistry.lifecycle;

/** The supervisor has no worker with that id: it never spawned it, or the worker has gone. */
public final class NoSuchWorkerException extends RuntimeException {

    /** The id that nobody has. */
    private final String workerId;

    NoSuchWorkerException(String workerId) {
        super("no worker " + workerId + " is supervised here");
        this.workerId = workerId;
    }

    /**
     * The id that nobody has.
     *
     * @return the id
     */
    public String workerId() {
        return workerId;
    }
}
