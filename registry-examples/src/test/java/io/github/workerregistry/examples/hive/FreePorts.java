package io.github.workerregistry.examples.hive;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;

/** Finds ports for the workers and servers of a test. Each test JVM of the build has its own range. */
public final class FreePorts {

    private static final int EACH = 6_000;
    private static final int LOWEST = 20_000 + EACH * (Integer.getInteger("test.fork", 1) - 1);
    private static final int HIGHEST = LOWEST + EACH; // ephemeral ports start at 32,768

    private FreePorts() {}

    /** A port that was free when checked. Unlike an ephemeral port, it is not assigned to a client between two uses. */
    public static int one() {
        return first(1);
    }

    /** A range of ports that were free when checked, in the format of {@code --ports}. */
    public static String range(int count) {
        int first = first(count);
        return first + "-" + (first + count - 1);
    }

    private static int first(int count) {
        return IntStream.generate(() -> ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST - count))
                .limit(1000)
                .filter(start -> IntStream.range(start, start + count).allMatch(FreePorts::isFree))
                .findFirst()
                .orElseThrow();
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
