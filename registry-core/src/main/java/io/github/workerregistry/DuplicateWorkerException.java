package io.github.workerregistry;

import static io.github.workerregistry.internal.Checks.MAX_NAME_LENGTH;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.LogText;

/**
 * A worker with the same id is registered already.
 *
 * @since 0.1
 */
public final class DuplicateWorkerException extends RuntimeException {

    /** The worker's id. */
    private final String workerId;

    /**
     * An exception that names the worker.
     *
     * @param workerId the id that is registered already
     */
    public DuplicateWorkerException(String workerId) {
        super("worker " + LogText.shortened(requireNonNull(workerId, "workerId"), MAX_NAME_LENGTH)
                + " is registered already");
        this.workerId = workerId;
    }

    /**
     * The id that is registered already.
     *
     * @return the id
     */
    public String workerId() {
        return workerId;
    }
}
