package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.Checks;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The requests that wait for a slot of a model, at one moment.
 *
 * @param modelRef the model
 * @param waiting number of waiting requests, &gt; 0
 * @param longestWait how long the request has waited that has waited longest, &ge; 0, by the registry's timer if it has
 *     one, else in real time
 * @param requests what they ask for: for each distinct set of constraints, a request without affinity key and with
 *     priority 0, and the number of those that wait; in the order in which the first of each will be served
 * @param longestWaits how long the oldest of each of these has waited; the same keys in the same order
 * @since 0.1
 */
public record ModelDemand(
        String modelRef,
        int waiting,
        Duration longestWait,
        Map<SlotRequest, Integer> requests,
        Map<SlotRequest, Duration> longestWaits) {

    /**
     * Copies the maps and checks the values.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if {@code waiting} is not positive, or {@code longestWait} is negative
     */
    public ModelDemand {
        requireNonNull(modelRef, "modelRef");
        Checks.requireAtLeast(1, waiting, "waiting");
        if (requireNonNull(longestWait, "longestWait").isNegative()) {
            throw new IllegalArgumentException("longestWait must be >= 0, was " + longestWait);
        }
        requests = Collections.unmodifiableMap(new LinkedHashMap<>(requireNonNull(requests, "requests")));
        longestWaits = Collections.unmodifiableMap(new LinkedHashMap<>(requireNonNull(longestWaits, "longestWaits")));
    }
}
