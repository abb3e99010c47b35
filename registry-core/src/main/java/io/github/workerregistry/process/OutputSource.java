package io.github.workerregistry.process;

import java.io.IOException;

/** Creates the output of each started process. Thread-safe. */
@FunctionalInterface
interface OutputSource {

    /**
     * Creates the output of one process.
     *
     * @throws IOException if that is not possible; the message contains the reason
     */
    ProcessOutput open(String workerId) throws IOException;
}
