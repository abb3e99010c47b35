package io.github.workerregistry.lifecycle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;

/** Port ranges for tests that nobody else on this machine uses. */
final class FreePorts {

    private FreePorts() {}

    /**
     * A range of {@code size} ports that were all free a moment ago, outside the range the system gives out by itself.
     */
    static PortRange range(int size) {
        for (int first = 20_000; first < 32_000; first += size) {
            if (allFree(first, size)) {
                return PortRange.of(first, first + size - 1);
            }
        }
        throw new IllegalStateException("no " + size + " free ports in a row");
    }

    private static boolean allFree(int first, int size) {
        for (int port = first; port < first + size; port++) {
            try (ServerSocket socket = new ServerSocket(port)) {
                if (!socket.isBound()) {
                    return false;
                }
            } catch (IOException taken) {
                return false;
            }
        }
        return true;
    }

    /** A socket that listens on a port of the system's choice. */
    static ServerSocket listen() {
        try {
            return new ServerSocket(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
