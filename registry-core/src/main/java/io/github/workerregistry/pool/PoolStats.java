package io.github.workerregistry.pool;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Totals of a pool since it was built. May gain components.
 *
 * @param models by model, in the order of the configuration; unmodifiable
 * @since 0.1
 */
public record PoolStats(Map<String, Model> models) {

    /**
     * Copies the map.
     *
     * @throws NullPointerException if it is null
     */
    public PoolStats {
        models = Collections.unmodifiableMap(new LinkedHashMap<>(requireNonNull(models, "models")));
    }

    /**
     * Totals of one model.
     *
     * @param loads number of loads that ended with a worker that was ready
     * @param failedLoads number of failed loads, and of exits soon after ready that count as such
     * @param loadTime sum of the times of the loads, from the start to ready
     * @param evictions number of evictions of its workers, by reason; unmodifiable
     * @param waits number of requests through the pool that have waited, whether they got a slot or not
     * @param timeWaited how long they waited, by the registry's clock
     * @param resident for how long its workers have been ready, added up
     * @since 0.1
     */
    public record Model(
            long loads,
            long failedLoads,
            Duration loadTime,
            Map<EvictionReason, Long> evictions,
            long waits,
            Duration timeWaited,
            Duration resident) {
        /**
         * Copies the map.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Model {
            requireNonNull(loadTime, "loadTime");
            evictions = Map.copyOf(requireNonNull(evictions, "evictions"));
            requireNonNull(timeWaited, "timeWaited");
            requireNonNull(resident, "resident");
        }
    }
}
