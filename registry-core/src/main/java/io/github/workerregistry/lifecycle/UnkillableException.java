package io.github.workerregistry.lifecycle;

/**
 * A process survived SIGKILL, for example blocked in a driver or on an unreachable file system. Its record, slots and
 * port stay in use until it exits.
 *
 * @since 0.1
 */
public final class UnkillableException extends RuntimeException {

    /** The worker whose process it is. */
    private final String workerId;

    UnkillableException(SupervisedWorker worker) {
        super("worker " + worker.id + ", pid " + worker.pid() + ", survived SIGKILL");
        this.workerId = worker.id;
    }

    /**
     * The worker whose process it is.
     *
     * @return its id
     */
    public String workerId() {
        return workerId;
    }
}
