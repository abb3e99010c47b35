package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

/** A worker with the same id is registered already. */
public final class DuplicateWorkerException extends RuntimeException {

    /** The id that is taken. */
    private final String workerId;

    /**
     * An exception that names the worker.
     *
     * @param workerId the id that is taken
     */
    public DuplicateWorkerException(String workerId) {
        super("worker " + requireNonNull(workerId, "workerId") + " is registered already");
        this.workerId = workerId;
    }

    /**
     * The id that is taken.
     *
     * @return the id
     */
    public String workerId() {
        return workerId;
    }
}
