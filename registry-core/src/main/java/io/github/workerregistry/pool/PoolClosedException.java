package io.github.workerregistry.pool;

import io.github.workerregistry.SlotUnavailableException;

/**
 * The pool has been closed.
 *
 * @since 0.1
 */
public final class PoolClosedException extends SlotUnavailableException {

    private static final long serialVersionUID = 1L;

    PoolClosedException(String modelRef) {
        super(modelRef, "the pool has been closed");
    }
}
