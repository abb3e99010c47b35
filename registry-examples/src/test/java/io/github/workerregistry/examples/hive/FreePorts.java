package io.github.workerregistry.examples.hive;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;

/** Finds ports for the workers of a test. */
public final class FreePorts {

    private static final int LOWEST = 20_000;
    private static final int HIGHEST = 32_000; // above begin those that the system gives to clients

    private FreePorts() {}

    /** A range of ports, all free a moment ago, as {@code --ports} takes it. */
    public static String range(int count) {
        int first = IntStream.generate(() -> ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST - count))
                .limit(1000)
                .filter(start -> IntStream.range(start, start + count).allMatch(FreePorts::isFree))
                .findFirst()
                .orElseThrow();
        return first + "-" + (first + count - 1);
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
