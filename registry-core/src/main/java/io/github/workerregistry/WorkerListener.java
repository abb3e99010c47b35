package io.github.workerregistry;

/** Hears of the edges in workers' lives. See {@link WorkerRegistry#subscribe}. */
@FunctionalInterface
public interface WorkerListener {

    /**
     * Called for each event, in order, once, never twice at a time, on the executor given to
     * {@link WorkerRegistry#subscribe}, with no lock held: it may call the registry. What it throws is logged, and the
     * next event is still delivered.
     *
     * @param event what happened
     */
    void onEvent(WorkerEvent event);
}
