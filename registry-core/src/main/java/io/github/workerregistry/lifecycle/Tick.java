package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;

/** A loop that can be stepped: one round of bounded work that blocks nowhere (after Agrona's {@code Agent.doWork}). */
@FunctionalInterface
interface Tick {

    /** One round. Never called twice at a time. */
    void tick(Instant now);

    /**
     * A round in place of {@link #tick} after the host could not run us for more than a period: it was suspended,
     * swapped out, or overloaded. What was not seen meanwhile is no evidence, so a loop that judges gives no verdict
     * here, and extends its deadlines.
     *
     * @param lateness for how long
     */
    default void late(Instant now, Duration lateness) {
        tick(now);
    }
}
