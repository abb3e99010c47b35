package io.github.workerregistry.process;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalLong;

/** The destination of stdout and stderr of one process. Never a pipe: a pipe that is not read blocks the worker. */
sealed interface ProcessOutput permits OutputFile, UnrecordedOutput {

    void connect(ProcessBuilder builder);

    /** Bytes written so far, never decreasing. This call also enforces the size limit. */
    long bytes();

    /** Whether the output is counted and kept. */
    default boolean isRecorded() {
        return true;
    }

    /** The last lines, oldest first. Does not throw. */
    List<String> tail(int maxLines);

    /** As {@link WorkerProcess#readOutput}. Does not throw. */
    OptionalLong read(long offset, ByteBuffer into);

    /** Called after the process has exited and its output has been read. */
    void release();

    /** Called if the process was not started: deletes what was created for it. */
    void abandon();
}
