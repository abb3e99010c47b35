package io.github.workerregistry.lifecycle;

/**
 * A process outlived SIGKILL, stuck in the kernel (a driver, a dead file system). Its record, slots and port stay taken
 * until it goes.
 */
public final class UnkillableException extends RuntimeException {

    /** The worker whose process it is. */
    private final String workerId;

    UnkillableException(SupervisedWorker worker) {
        super("worker " + worker.id + ", pid " + worker.pid() + ", is still there after SIGKILL");
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
