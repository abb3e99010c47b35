package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * The result of an {@link OrphanReaper}.
 *
 * @param supported false if orphans cannot be found because the system does not expose the environment of a process
 *     (all but Linux); then the lists are empty
 * @param ended the processes that were killed, in the order in which they were found
 * @param remaining the processes that were killed and had not exited at the timeout; each was logged at WARN
 * @since 0.1
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
     * The report of a controller that cannot search for orphans.
     *
     * @return an empty report, not supported
     */
    public static OrphanReport unsupported() {
        return new OrphanReport(false, List.of(), List.of());
    }

    /**
     * A process that outlived its hive.
     *
     * @param process its identity
     * @param hive the process of its hive
     * @param workerId the worker that it belonged to
     * @param command the path of its program, empty if it could not be read; arguments are omitted because they may
     *     hold secrets
     * @since 0.1
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
