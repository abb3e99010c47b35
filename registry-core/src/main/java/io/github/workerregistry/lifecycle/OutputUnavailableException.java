package io.github.workerregistry.lifecycle;

/**
 * The output of a worker cannot be read: it is discarded or inherited, or the process controller does not support it.
 *
 * @since 0.1
 */
public final class OutputUnavailableException extends RuntimeException {

    /** The worker whose output was asked for. */
    private final String workerId;

    private OutputUnavailableException(String workerId, String reason) {
        super("worker " + workerId + ": " + reason);
        this.workerId = workerId;
    }

    static OutputUnavailableException notRecorded(String workerId) {
        return new OutputUnavailableException(
                workerId, "its output is not recorded; it is discarded, or inherited from this JVM");
    }

    static OutputUnavailableException notReadable(String workerId) {
        return new OutputUnavailableException(
                workerId, "its output cannot be followed; its process controller does not implement readOutput");
    }

    /**
     * The worker whose output was asked for.
     *
     * @return its id
     */
    public String workerId() {
        return workerId;
    }
}
