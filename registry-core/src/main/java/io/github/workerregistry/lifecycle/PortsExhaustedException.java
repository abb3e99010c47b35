package io.github.workerregistry.lifecycle;

/** No port of the range is free. The message names the range and how many of it are taken by workers. */
public final class PortsExhaustedException extends RuntimeException {

    PortsExhaustedException(PortRange range, int taken) {
        super("no free port in " + range + ": " + taken + " taken by workers, the rest in use by others");
    }
}
