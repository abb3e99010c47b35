package io.github.workerregistry;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * For each affinity key of a model, the worker that served it last. A key is forgotten with the incarnation of its
 * worker, after a time without use, and beyond a number of keys, about the longest unused first (a second-chance
 * queue). Not on the path of requests without a key. Thread-safe; a known key takes no lock.
 */
final class AffinityTable {

    /** Maximum number of keys with a second chance for each key that is dropped. */
    private static final int SECOND_CHANCES = 16;

    private final long ttlMillis;
    private final int capacity;
    private final InstantSource clock;
    private final ConcurrentMap<String, Use> uses = new ConcurrentHashMap<>();

    /** The clock as read last, so that it is not read under a lock. */
    private volatile long now;

    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Use> order = new ArrayDeque<>(); // guarded by the lock

    /** The worker of a key. */
    private record Served(WorkerEntry entry, Incarnation incarnation) {
        boolean isCurrent() {
            return entry.isOf(incarnation) && !entry.isRemoved();
        }
    }

    private static final class Use {
        private final String key;
        private long queued; // guarded by the lock
        private volatile long at;
        private volatile Served by;

        Use(String key, Served by, long at) {
            this.key = key;
            this.by = by;
            this.at = at;
            this.queued = at;
        }
    }

    AffinityTable(Duration ttl, int capacity, InstantSource clock) {
        this.ttlMillis = ttl.toMillis();
        this.capacity = capacity;
        this.clock = clock;
    }

    /** Reads the clock. Called with no lock held. */
    void readClock() {
        long read = clock.millis();
        if (read != now) { // else other threads' caches keep it
            now = read;
        }
    }

    /** The worker that served the key last; null if unknown or forgotten. */
    @Nullable
    WorkerEntry get(String key) {
        Use use = uses.get(key);
        if (use == null || now - use.at > ttlMillis) {
            return null;
        }
        Served by = use.by;
        return by.isCurrent() ? by.entry() : null;
    }

    /** The worker of that lease has served the key. */
    void served(String key, SlotLease lease) {
        Use use = uses.get(key);
        if (use == null) {
            add(key, new Served(lease.entry(), lease.incarnation()));
            return;
        }
        use.at = now;
        Served by = use.by;
        if (by.entry() != lease.entry() || !by.incarnation().equals(lease.incarnation())) {
            use.by = new Served(lease.entry(), lease.incarnation());
        }
    }

    /** The key is in use now. */
    void used(String key) {
        Use use = uses.get(key);
        if (use != null) {
            use.at = now;
        }
    }

    private void add(String key, Served by) {
        lock.lock();
        try {
            Use use = new Use(key, by, now);
            Use other = uses.putIfAbsent(key, use);
            if (other != null) {
                other.by = by;
                return;
            }
            order.add(use);
            dropForgotten();
            if (uses.size() > capacity) {
                dropOne();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Looks at two keys for each that is added, so that forgotten ones do not pile up. */
    private void dropForgotten() {
        for (int i = 0; i < 2; i++) {
            Use eldest = order.peek(); // null if the new one is forgotten already: its worker has ended meanwhile
            if (eldest == null || (now - eldest.at <= ttlMillis && eldest.by.isCurrent())) {
                return;
            }
            drop(order.remove());
        }
    }

    private void dropOne() {
        for (int chances = SECOND_CHANCES; chances > 0; chances--) {
            Use eldest = order.remove();
            if (eldest.at == eldest.queued) {
                drop(eldest);
                return;
            }
            eldest.queued = eldest.at;
            order.add(eldest);
        }
        drop(order.remove());
    }

    private void drop(Use use) {
        uses.remove(use.key, use);
    }

    int size() {
        return uses.size();
    }
}
