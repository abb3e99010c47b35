package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.http.Refusal;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.LongSupplier;

/**
 * Tracks which hives are reachable, as far as the queen can determine.
 *
 * <p>A hive whose session has expired is removed from ZooKeeper, and so from the fleet. Two cases remain: while the
 * queen is disconnected from ZooKeeper, any hive may have lost its session; and a hive that refused a connection may
 * refuse the next. Both stay in the fleet and are tried last.
 *
 * <p>Conversely, an existing hive may not be known yet: see {@link #isSettled}.
 */
final class Contact {

    /** How long a hive that refused a connection is tried last. Then one request tests it. */
    static final Duration AVOID = Duration.ofSeconds(10);

    /** How long after the queen has connected to ZooKeeper hives may still be reconnecting. */
    static final Duration SETTLING = Duration.ofSeconds(10);

    /** Why a hive may be unreachable. */
    enum Trouble {
        NONE,
        /** The queen is disconnected from ZooKeeper, so the session of this hive may have expired. */
        ZOOKEEPER,
        /** The hive refused a connection recently. */
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

    /** Everything that ZooKeeper had at the start has been read. */
    void complete() {
        complete = true;
    }

    /**
     * Whether a hive that the queen does not know does not exist. While ZooKeeper is unreachable, or shortly after a
     * start of either, it may be reconnecting.
     */
    boolean isSettled() {
        return complete && withZooKeeper && nanoTime.getAsLong() - withZooKeeperSince >= SETTLING.toNanos();
    }

    /** The error for something unknown to the queen: permanent, or temporary while not settled. */
    Refusal unknown(String code, String message) {
        return isSettled()
                ? new Refusal(404, code, message)
                : Refusal.later("not_settled", message + "; but not all hives may be known yet");
    }

    boolean hasZooKeeper() {
        return withZooKeeper;
    }

    /** A hive refused a connection. Returns whether that is new, so that only the first of many requests logs it. */
    boolean refused(String node) {
        long now = nanoTime.getAsLong();
        refusedAt.values().removeIf(at -> now - at >= AVOID.toNanos()); // also of hives that have left since
        return refusedAt.put(node, now) == null;
    }

    /** A hive answered. */
    void answered(String node) {
        refusedAt.remove(node);
    }

    /** A hive has left; its state does not apply to another one of the same name. */
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
