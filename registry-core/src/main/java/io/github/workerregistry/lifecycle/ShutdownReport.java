package io.github.workerregistry.lifecycle;

/**
 * How a shutdown went. Each worker that had a process is counted once: {@code workers = drained + exited + killed +
 * unkillable}.
 *
 * @param workers how many workers there were to end
 * @param drained how many were at work when the shutdown came to them, gave back all leases in time, and then ended
 *     without a kill
 * @param exited how many others ended without a kill: idle or loading, ended by themselves, or asked to end in the
 *     middle of their work when the time to drain was over
 * @param killed how many had to be killed
 * @param unkillable how many were still there after the kill
 */
public record ShutdownReport(int workers, int drained, int exited, int killed, int unkillable) {

    /**
     * Checks that the counts add up.
     *
     * @throws IllegalArgumentException if they do not, or one is negative
     */
    public ShutdownReport {
        if (Math.min(Math.min(drained, exited), Math.min(killed, unkillable)) < 0
                || workers != drained + exited + killed + unkillable) {
            throw new IllegalArgumentException(workers + " workers cannot be " + drained + " drained + " + exited
                    + " exited + " + killed + " killed + " + unkillable + " unkillable");
        }
    }
}
