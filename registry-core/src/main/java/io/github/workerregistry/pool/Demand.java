package io.github.workerregistry.pool;

import io.github.workerregistry.SlotRequest;
import java.time.Duration;
import java.util.List;

/**
 * What waits for a model.
 *
 * @param waiting number of requests that wait for a slot
 * @param loads number of calls of {@link WorkerPool#load} that wait
 * @param longestWait how long the oldest of all of them has waited; zero if there is none
 * @param asks the distinct constraints of the requests, in the order in which they will be served
 */
record Demand(int waiting, int loads, Duration longestWait, List<SlotRequest> asks) {

    static final Demand NONE = new Demand(0, 0, Duration.ZERO, List.of());

    Demand {
        asks = List.copyOf(asks);
    }

    boolean exists() {
        return waiting > 0 || loads > 0;
    }
}
