package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;

/**
 * A worker ended before the awaited event. The message has the cause and the last line of output; {@link #exit()} has
 * all of it.
 *
 * @since 0.1
 */
public final class WorkerEndedException extends RuntimeException {

    private final transient Exit exit;

    WorkerEndedException(Exit exit) {
        super("worker " + exit.workerId() + " has ended: " + exit.describe());
        this.exit = exit;
    }

    /**
     * How the worker ended.
     *
     * @return the exit, with the last lines of output
     */
    public Exit exit() {
        return exit;
    }
}
