package io.github.workerregistry.process;

import static io.github.workerregistry.internal.Checks.requireAtLeast;
import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * What a process and its tree use of the machine, read once.
 *
 * @param residentBytes memory in RAM in bytes, &ge; 0: the sum over the processes, so that a page which several of them
 *     share counts several times. Memory of a GPU is not included
 * @param cpuTime time on a CPU, user and system, &ge; 0, in steps of 10 ms on Linux; includes processes of the tree
 *     that have exited and that a parent in the tree has waited for
 * @param threads number of threads, &ge; 0
 * @param processes number of processes, &ge; 1
 * @since 0.1
 */
public record ProcessUsage(long residentBytes, Duration cpuTime, int threads, int processes) {

    /**
     * Checks the components.
     *
     * @throws NullPointerException if {@code cpuTime} is null
     * @throws IllegalArgumentException if {@code residentBytes}, {@code cpuTime} or {@code threads} is negative, or
     *     {@code processes} is not positive
     */
    public ProcessUsage {
        requireNonNull(cpuTime, "cpuTime");
        requireAtLeast(0, residentBytes, "residentBytes");
        if (cpuTime.isNegative()) {
            throw new IllegalArgumentException("cpuTime must be >= 0, was " + cpuTime);
        }
        requireAtLeast(0, threads, "threads");
        requireAtLeast(1, processes, "processes");
    }
}
