package io.github.workerregistry.examples.bench;

import java.util.function.Consumer;

/** Decides which of many models are loaded, for {@link SwapSimulation}. Everything happens on one thread. */
interface SwapRules {

    /**
     * Requests a model.
     *
     * @param model the number of the model
     * @param served called when a worker serves the request, with what ends it
     */
    void request(int model, Consumer<Runnable> served);

    /** Number of loads begun so far. */
    long loads();
}
