package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.http.Refusal;
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
 *
 * <p>The other way round, a hive that is there may not be known yet: see {@link #isSettled}.
 */
final class Contact {

    /** How long a hive that did not answer is asked last. Then one request finds out. */
    static final Duration AVOID = Duration.ofSeconds(10);

    /** How long after the queen has found ZooKeeper hives may still be on their way back to it. */
    static final Duration SETTLING = Duration.ofSeconds(10);

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
    private volatile long withZooKeeperSince;
    private volatile boolean complete;

    Contact(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    void zooKeeper(boolean connected) {
        if (connected && !withZooKeeper) {
            withZooKeeperSince = nanoTime.getAsLong();
        }
        withZooKeeper = connected;
    }

    /** All that ZooKeeper had at the start is known. */
    void complete() {
        complete = true;
    }

    /**
     * Whether what the queen does not know is not there. Without ZooKeeper, and when she or it has just been started,
     * it may be a hive that is coming back.
     */
    boolean isSettled() {
        return complete && withZooKeeper && nanoTime.getAsLong() - withZooKeeperSince >= SETTLING.toNanos();
    }

    /** What a client is told who asks for something that the queen does not know: never, or not yet. */
    Refusal unknown(String code, String message) {
        return isSettled()
                ? new Refusal(404, code, message)
                : Refusal.later("not_settled", message + "; but not all hives may be known yet");
    }

    boolean hasZooKeeper() {
        return withZooKeeper;
    }

    /** A hive took no connection. Whether that is news: of many requests in a row the first one tells. */
    boolean refused(String node) {
        long now = nanoTime.getAsLong();
        refusedAt.values().removeIf(at -> now - at >= AVOID.toNanos()); // also of hives that have gone since
        return refusedAt.put(node, now) == null;
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
