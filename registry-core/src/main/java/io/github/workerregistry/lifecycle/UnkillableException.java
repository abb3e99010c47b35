package io.github.workerregistry.lifecycle;

/**
 * A process outlived SIGKILL, stuck in the kernel (a driver, a dead file system). Its record, slots and port stay taken
 * until it goes.
 */
public final class UnkillableException extends RuntimeException {

    /** The worker whose process it is. */
    private final String workerId;

    UnkillableException(String workerId, long pid) {
        super("worker " + workerId + ", pid " + pid + ", is still there after it was killed");
        this.workerId = workerId;
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
