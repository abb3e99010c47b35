package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;

/**
 * A worker that somebody waited for has ended first. The message says how, with its last line of output; the exit says
 * all.
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
