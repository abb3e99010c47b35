package io.github.workerregistry.lifecycle;

/**
 * A process outlived SIGKILL, stuck in the kernel (a driver, a dead file system). Its record, slots and port stay taken
 * until it goes. Or the start of a process does not come to its end; if it does one day, that process is killed.
 */
public final class UnkillableException extends RuntimeException {

    /** The worker whose process it is. */
    private final String workerId;

    private UnkillableException(String workerId, String message) {
        super(message);
        this.workerId = workerId;
    }

    /** Says which process it is; without one, it is a start that does not come to its end. */
    static UnkillableException of(SupervisedWorker worker) {
        String message = worker.process() == null
                ? "worker " + worker.id + " was stopped while it was being started, and that goes on and on"
                : "worker " + worker.id + ", pid " + worker.pid() + ", is still there after SIGKILL";
        return new UnkillableException(worker.id, message);
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
