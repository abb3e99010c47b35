package io.github.workerregistry.examples.faults;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;

/** Finds ports for the workers of a run, so that two runs on one machine do not conflict. */
final class FreePorts {

    private static final int LOWEST = 10_000;
    private static final int HIGHEST = 20_000; // well below the ephemeral ports of the system
    private static final int TRIES = 100;

    private FreePorts() {}

    /**
     * The first of a number of consecutive ports that were free when checked.
     *
     * @throws IllegalStateException if none are found
     */
    static int first(int count) {
        return IntStream.generate(() -> ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST))
                .limit(TRIES)
                .filter(start -> IntStream.range(start, start + count).allMatch(FreePorts::isFree))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no " + count + " free ports in a row are found"));
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(port));
            return true;
        } catch (IOException inUse) {
            return false;
        }
    }
}
