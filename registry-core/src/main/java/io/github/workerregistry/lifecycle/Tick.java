package io.github.workerregistry.lifecycle;

import java.time.Instant;

/** A loop that can be stepped: bounded work that does not block (after Agrona's {@code Agent.doWork}). */
@FunctionalInterface
interface Tick {

    /** One step. Never called twice at a time, but for urgent loops. */
    void tick(Instant now);

    /**
     * A step in place of {@link #tick} after a pause of more than a period (suspend, swap, overload). What was not seen
     * during the pause is no evidence, so by default nothing is evaluated. A loop that acts all the same says so.
     * {@link PauseTracker} tells by how much deadlines move.
     */
    default void late(Instant now) {}

    /** Whether the last step left work for a further one, in a task of its own and without waiting for a period. */
    default boolean isUnfinished() {
        return false;
    }
}
