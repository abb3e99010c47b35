package io.github.workerregistry;

/** A listener's place in a registry, until closed. */
public interface Subscription extends AutoCloseable {

    /**
     * Ends the subscription. Events not yet delivered are dropped; one that is being delivered runs to its end.
     * Idempotent.
     */
    @Override
    void close();
}
