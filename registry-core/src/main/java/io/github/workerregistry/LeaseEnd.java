package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * How a {@link SlotLease} ended, see {@link SlotLease#whenEnded()}. May gain members.
 *
 * @since 0.1
 */
public sealed interface LeaseEnd {

    /**
     * The slot was released and its worker was not lost: by {@link SlotLease#close()}, or by {@link SlotLease#fail} if
     * the check that followed did not find that the process had exited.
     *
     * @since 0.1
     */
    record Released() implements LeaseEnd {}

    /**
     * The worker was lost while the lease was open: its process exited, or it was removed from the registry.
     *
     * @param exit the exit of its process; empty if it was not detected, or is no longer known: only a worker's last
     *     exit is kept
     * @since 0.1
     */
    record Lost(Optional<Exit> exit) implements LeaseEnd {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if {@code exit} is null
         */
        public Lost {
            requireNonNull(exit, "exit");
        }
    }
}
