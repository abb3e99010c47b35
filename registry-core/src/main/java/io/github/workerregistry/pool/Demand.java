package io.github.workerregistry.pool;

import io.github.workerregistry.SlotRequest;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What waits for a model.
 *
 * @param waiting number of requests that wait for a slot
 * @param loads number of calls of {@link WorkerPool#load} that wait
 * @param longestWait how long the oldest of all of them has waited; zero if there is none
 * @param waits the distinct constraints of the requests, in the order in which they will be served, and how long the
 *     oldest of each has waited
 * @param promised whether a worker has been evicted for it, and none was started since
 */
record Demand(int waiting, int loads, Duration longestWait, Map<SlotRequest, Duration> waits, boolean promised) {

    static final Demand NONE = new Demand(0, 0, Duration.ZERO, Map.of(), false);

    Demand {
        waits = Collections.unmodifiableMap(new LinkedHashMap<>(waits));
    }

    boolean exists() {
        return waiting > 0 || loads > 0;
    }

    /** The distinct constraints, in the order in which they will be served. */
    Set<SlotRequest> asks() {
        return waits.keySet();
    }

    /** How long the oldest request with one of these constraints has waited. */
    Duration longestOf(Collection<SlotRequest> asks) {
        return asks.stream().map(waits::get).max(Duration::compareTo).orElse(Duration.ZERO);
    }
}
