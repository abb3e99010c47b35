package io.github.workerregistry.pool;

/**
 * What happens to a request for a model that is not loaded, if there is no room for it.
 *
 * @since 0.1
 */
public enum Admission {
    /** Other models are evicted, as the rules of {@link WorkerPool} allow. */
    EVICT,
    /**
     * No other model is evicted for this one: the request fails with {@link NoCapacityException}. Room that is being
     * freed already, and loads that no request waits for, are used.
     */
    IF_IT_FITS
}
