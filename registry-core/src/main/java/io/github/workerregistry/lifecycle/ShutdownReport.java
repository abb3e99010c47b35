package io.github.workerregistry.lifecycle;

/**
 * The result of a shutdown. Each worker that had a process is counted once: {@code workers = drained + exited + killed
 * + unkillable}.
 *
 * @param workers number of workers that were stopped
 * @param drained number that had open leases at first, all released within the drain time, and then exited without a
 *     kill
 * @param exited number of other workers that exited without a kill: idle, loading, exited by themselves, or stopped
 *     with open leases when the drain time was over
 * @param killed number that were killed
 * @param unkillable number whose process survived the kill
 * @since 0.1
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
