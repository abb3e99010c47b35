package io.github.workerregistry.lifecycle;

import java.time.Instant;

/** A loop that can be stepped: one round of bounded work that blocks nowhere (after Agrona's {@code Agent.doWork}). */
@FunctionalInterface
interface Tick {

    /** One round. Never called twice at a time. */
    void tick(Instant now);
}
