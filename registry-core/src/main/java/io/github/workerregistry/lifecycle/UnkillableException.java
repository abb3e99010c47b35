package io.github.workerregistry.lifecycle;

import io.github.workerregistry.process.WorkerProcess;
import org.jspecify.annotations.Nullable;

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
    static UnkillableException of(String workerId, @Nullable WorkerProcess process) {
        String message = process == null
                ? "worker " + workerId + " was stopped while it was being started, and that goes on and on"
                : "worker " + workerId + ", pid " + process.identity().pid() + ", is still there after SIGKILL";
        return new UnkillableException(workerId, message);
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
