package io.github.workerregistry.process;

import java.util.List;

/** Where stdout and stderr of one process go. Never a pipe: one that nobody reads blocks the worker. */
sealed interface ProcessOutput permits OutputFile, UnrecordedOutput {

    void connect(ProcessBuilder builder);

    /** Bytes written so far, never less than before. The call that bounds what is kept. */
    long bytes();

    /** Whether what is written is counted and kept. */
    default boolean isRecorded() {
        return true;
    }

    /** The last lines, oldest first. Does not fail. */
    List<String> tail(int maxLines);

    /** The process has ended and its output has been looked at. */
    void release();

    /** The process was never started: whatever was made for it goes. */
    void abandon();
}
