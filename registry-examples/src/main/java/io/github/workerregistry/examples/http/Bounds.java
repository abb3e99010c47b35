package io.github.workerregistry.examples.http;

import java.time.Duration;

/**
 * What the clients of a server may hold.
 *
 * @param body size of a forwarded body, in bytes
 * @param memory bytes of all bodies in memory together
 * @param connections number of connections
 * @param arrival how long a request may take to arrive, and a connection may be unused
 */
public record Bounds(long body, long memory, int connections, Duration arrival) {

    /** 32 MiB; a quarter of the heap; 10,000; 30 s. */
    public static final Bounds DEFAULT =
            new Bounds(32L << 20, Runtime.getRuntime().maxMemory() / 4, 10_000, Duration.ofSeconds(30));
}
