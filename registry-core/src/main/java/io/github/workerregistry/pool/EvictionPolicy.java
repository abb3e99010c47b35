package io.github.workerregistry.pool;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Comparator;

/**
 * The order in which workers are evicted, if the rules of {@link WorkerPool} allow several. Called by one thread at a
 * time, with no lock held; it must not block. If it throws, nothing is evicted in that pass, and the failure is logged.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface EvictionPolicy extends Comparator<EvictionPolicy.Candidate> {

    /**
     * A worker that may be evicted.
     *
     * @param workerId its id
     * @param modelRef its model
     * @param idle how long it has not been used, &ge; 0
     * @param loadTime how long its load took, &gt; 0; 1 ms for one that was ready at once
     * @param units the units that it claims, on all of its devices together, &ge; 0
     * @since 0.1
     */
    record Candidate(String workerId, String modelRef, Duration idle, Duration loadTime, long units) {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Candidate {
            requireNonNull(workerId, "workerId");
            requireNonNull(modelRef, "modelRef");
            requireNonNull(idle, "idle");
            requireNonNull(loadTime, "loadTime");
        }
    }

    /**
     * Compares two workers.
     *
     * @param a one worker
     * @param b another worker
     * @return negative if {@code a} is evicted first
     */
    @Override
    int compare(Candidate a, Candidate b);

    /**
     * The worker that was used longest ago first. The default.
     *
     * @return the policy
     */
    static EvictionPolicy leastRecentlyUsed() {
        return (a, b) -> b.idle().compareTo(a.idle());
    }

    /**
     * The worker first that is cheapest to load again: the one with the largest quotient of idle time and load time
     * times units. (After Lemonade's eviction under pressure.)
     *
     * @return the policy
     */
    static EvictionPolicy cheapestToReload() {
        return (a, b) -> Double.compare(weight(b), weight(a));
    }

    private static double weight(Candidate worker) {
        double cost = (double) Math.max(1, worker.loadTime().toMillis()) * Math.max(1, worker.units());
        return worker.idle().toMillis() / cost;
    }
}
