package io.github.workerregistry;

/**
 * A registration of a listener or checker, until closed.
 *
 * @since 0.1
 */
public interface Subscription extends AutoCloseable {

    /** Ends the subscription. Undelivered events are dropped; a delivery in progress completes. Idempotent. */
    @Override
    void close();
}
