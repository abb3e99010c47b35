package io.github.workerregistry.pool;

/**
 * Why a worker could be evicted. May gain members.
 *
 * @since 0.1
 */
public enum EvictionReason {
    /** It loaded, and no request waited for it any more. */
    UNWANTED_LOAD,
    /** It was idle. */
    IDLE,
    /** It was idle and within {@code minResidency}, but a request for another model had waited for {@code maxWait}. */
    MAX_WAIT_IDLE,
    /**
     * It was busy, but a request for another model had waited for {@code maxWait}. Its open leases run to their end.
     */
    MAX_WAIT_BUSY
}
