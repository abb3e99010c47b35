package io.github.workerregistry.examples.dispatcher;

import java.io.IOException;

/** The worker crashed or was removed during the request. */
public final class WorkerLostException extends IOException {

    private static final long serialVersionUID = 1L;

    private final String workerId;

    WorkerLostException(String workerId, Throwable cause) {
        super("worker " + workerId + " was lost during a request: " + cause.getMessage(), cause);
        this.workerId = workerId;
    }

    /**
     * The id of the lost worker.
     *
     * @return the id
     */
    public String workerId() {
        return workerId;
    }
}
