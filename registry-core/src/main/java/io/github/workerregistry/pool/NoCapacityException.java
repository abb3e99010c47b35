package io.github.workerregistry.pool;

import io.github.workerregistry.SlotUnavailableException;

/**
 * There is no room for a worker of the model, and none is made: what holds it is pinned, not evictable or needed for
 * {@code minWorkers}, or the model is admitted only {@linkplain Admission#IF_IT_FITS if it fits}.
 *
 * @since 0.1
 */
public final class NoCapacityException extends SlotUnavailableException {

    private static final long serialVersionUID = 1L;

    NoCapacityException(String modelRef, String message) {
        super(modelRef, message);
    }
}
