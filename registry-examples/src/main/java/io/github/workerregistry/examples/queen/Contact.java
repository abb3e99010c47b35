package io.github.workerregistry.examples.queen;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.LongSupplier;

/**
 * Which hives can be reached, as far as the queen can tell.
 *
 * <p>A hive whose session has ended is gone from ZooKeeper, and so from the fleet. What is left is what the queen
 * cannot know: while it is itself cut off from ZooKeeper, any hive may have lost its session; and one that did not
 * answer a request may not answer the next. Both are still there, and are asked last.
 */
final class Contact {

    /** How long a hive that did not answer is asked last. Then one request finds out. */
    static final Duration AVOID = Duration.ofSeconds(10);

    /** Why a hive may be out of reach. */
    enum Trouble {
        NONE,
        /** The queen has no contact to ZooKeeper, so it cannot know whether this hive's session has ended. */
        ZOOKEEPER,
        /** The hive took no connection a moment ago. */
        HTTP
    }

    private final LongSupplier nanoTime;
    private final ConcurrentMap<String, Long> refusedAt = new ConcurrentHashMap<>();
    private volatile boolean withZooKeeper;

    Contact(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    void zooKeeper(boolean connected) {
        withZooKeeper = connected;
    }

    boolean hasZooKeeper() {
        return withZooKeeper;
    }

    /** A hive took no connection. */
    void refused(String node) {
        refusedAt.put(node, nanoTime.getAsLong());
    }

    /** A hive answered. */
    void answered(String node) {
        refusedAt.remove(node);
    }

    /** A hive has gone; what was known of it means nothing for one of the same name. */
    void forget(String node) {
        refusedAt.remove(node);
    }

    Trouble with(String node) {
        Long at = refusedAt.get(node);
        if (at != null) {
            if (nanoTime.getAsLong() - at < AVOID.toNanos()) {
                return Trouble.HTTP;
            }
            refusedAt.remove(node, at);
        }
        return withZooKeeper ? Trouble.NONE : Trouble.ZOOKEEPER;
    }
}
