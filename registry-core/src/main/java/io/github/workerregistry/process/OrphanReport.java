package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * What an {@link OrphanReaper} found and did.
 *
 * @param supported false where orphans cannot be found because the system does not show the environment of a process
 *     (any but Linux); then the lists are empty
 * @param ended the processes that were ended, in the order in which they were found
 * @param remaining the processes that were killed and had not gone when the time was over; each was logged at WARN
 */
public record OrphanReport(boolean supported, List<Orphan> ended, List<Orphan> remaining) {

    /**
     * Copies the lists.
     *
     * @throws NullPointerException if one is null; the message names it
     */
    public OrphanReport {
        ended = List.copyOf(requireNonNull(ended, "ended"));
        remaining = List.copyOf(requireNonNull(remaining, "remaining"));
    }

    /**
     * The report of whoever cannot look for orphans.
     *
     * @return an empty report, not supported
     */
    public static OrphanReport unsupported() {
        return new OrphanReport(false, List.of(), List.of());
    }

    /**
     * A process that outlived its hive.
     *
     * @param process which process
     * @param hive the process that its hive was
     * @param workerId the worker that it was, or that started it
     * @param command the path of its program, empty if that could not be read; without its arguments, which may hold
     *     secrets
     */
    public record Orphan(ProcessIdentity process, ProcessIdentity hive, String workerId, Optional<String> command) {

        /** Checks for null. */
        public Orphan {
            requireNonNull(process, "process");
            requireNonNull(hive, "hive");
            requireNonNull(workerId, "workerId");
            requireNonNull(command, "command");
        }
    }
}
