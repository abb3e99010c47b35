package io.github.workerregistry.pool;

/**
 * Receives what a pool does.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface PoolListener {

    /**
     * Called for each event, in order, by one thread at a time, with no lock held. An exception is logged.
     *
     * @param event what happened
     */
    void onEvent(PoolEvent event);
}
