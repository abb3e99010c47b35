package io.github.workerregistry.process;

import java.io.IOException;

/** Gives every process that is started its output. Thread-safe. */
@FunctionalInterface
interface OutputSource {

    /**
     * Makes the output of one process.
     *
     * @throws IOException if that is not possible; the message says why, in words for the reader of a log
     */
    ProcessOutput open(String workerId) throws IOException;
}
