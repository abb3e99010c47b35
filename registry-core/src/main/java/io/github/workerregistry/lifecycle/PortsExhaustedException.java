package io.github.workerregistry.lifecycle;

/**
 * No port of the range is free. The message has the range and the number of ports that workers have acquired.
 *
 * @since 0.1
 */
public final class PortsExhaustedException extends RuntimeException {

    PortsExhaustedException(PortPool range, int taken) {
        super("no free port in " + range + ": " + taken + " taken by workers, the rest in use by others");
    }
}
