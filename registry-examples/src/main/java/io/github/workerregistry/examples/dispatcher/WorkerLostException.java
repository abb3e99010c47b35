package io.github.workerregistry.examples.dispatcher;

import java.io.IOException;

/** The worker crashed or was removed during a request. */
public final class WorkerLostException extends IOException {

    WorkerLostException(String workerId, IOException cause) {
        super("worker " + workerId + " was lost during a request: " + cause.getMessage(), cause);
    }
}
