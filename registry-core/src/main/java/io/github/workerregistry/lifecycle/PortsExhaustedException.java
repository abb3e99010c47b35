package io.github.workerregistry.lifecycle;

/**
 * No port of the pool is free. The message has the pool's bounds and the number of ports that workers have acquired.
 *
 * @since 0.1
 */
public final class PortsExhaustedException extends RuntimeException {

    PortsExhaustedException(PortPool pool, int acquired) {
        super("no free port in " + pool + ": " + acquired + " acquired by workers, the rest in use by others");
    }
}
