package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Checks.MAX_NAME_LENGTH;

import io.github.workerregistry.internal.LogText;

/**
 * The supervisor has no worker with this id: it never spawned one, or the worker has been removed.
 *
 * @since 0.1
 */
public final class NoSuchWorkerException extends RuntimeException {

    /** The unknown id. */
    private final String workerId;

    NoSuchWorkerException(String workerId) {
        super("no worker " + LogText.shortened(workerId, MAX_NAME_LENGTH) + " is supervised here");
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
