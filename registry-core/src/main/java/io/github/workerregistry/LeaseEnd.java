package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/**
 * How a {@link SlotLease} ended: see {@link SlotLease#whenEnded()}. It may gain members.
 *
 * @since 0.1
 */
public sealed interface LeaseEnd {

    /**
     * The slot was released, and its worker lived on: by {@link SlotLease#close()}, or by {@link SlotLease#fail} if the
     * check that followed did not find the process gone.
     */
    record Released() implements LeaseEnd {}

    /**
     * The worker was lost under the lease: its process exited, or it was removed from the registry.
     *
     * @param exit how its process ended; empty if that was not seen, or is no longer known: of each worker the last
     *     exit is kept
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
