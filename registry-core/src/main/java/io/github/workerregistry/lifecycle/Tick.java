package io.github.workerregistry.lifecycle;

import java.time.Instant;

/** A loop that can be stepped: one round of bounded work that blocks nowhere (after Agrona's {@code Agent.doWork}). */
@FunctionalInterface
interface Tick {

    /** One round. Never called twice at a time. */
    void tick(Instant now);

    /**
     * A round in place of {@link #tick} after the host could not run us for more than a period: it was suspended,
     * swapped out, or overloaded. What was not seen meanwhile is no evidence, so a loop that judges gives no verdict
     * here. By how much its deadlines move, {@link Presence} tells.
     */
    default void late(Instant now) {
        tick(now);
    }
}
