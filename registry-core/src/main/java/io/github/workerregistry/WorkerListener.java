package io.github.workerregistry;

/**
 * Receives life-cycle events. See {@link WorkerRegistry#subscribe}.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface WorkerListener {

    /**
     * Called once for each event, in order, never concurrently, on the executor passed to
     * {@link WorkerRegistry#subscribe}, with no lock held: it may call the registry. An exception is logged, and the
     * next event is still delivered.
     *
     * @param event the event
     */
    void onEvent(WorkerEvent event);
}
