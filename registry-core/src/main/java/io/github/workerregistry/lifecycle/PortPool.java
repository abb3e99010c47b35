package io.github.workerregistry.lifecycle;

import java.lang.ref.WeakReference;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * A range of ports for workers to listen on.
 *
 * <p>A port belongs to one worker at a time, even if several pools of this JVM overlap (two supervisors with the
 * defaults), and is acquired only if it can be bound: no other process on this machine listens on it, on any address.
 * Another process can still bind it before the worker does; a supervisor detects that before the worker is ready, and
 * assigns another port to the next generation. The free port released longest ago is acquired first, so that clients of
 * its previous worker do not reach a new one. Thread-safe; several supervisors may share a pool.
 *
 * @since 0.1
 */
public final class PortPool {

    private static final int MAX_PORT = 65_535;

    /** The ports acquired in this JVM, and the pool of each. Ports of a garbage-collected pool are free. */
    private static final Map<Integer, WeakReference<PortPool>> ACQUIRED = new HashMap<>();

    private final int first;
    private final int last;
    private final Deque<Integer> free = new ArrayDeque<>();
    private final Set<Integer> acquired = new HashSet<>();

    private PortPool(int first, int last) {
        this.first = first;
        this.last = last;
        for (int port = first; port <= last; port++) {
            free.add(port);
        }
    }

    /**
     * A pool of the ports of a range, both ends included.
     *
     * @param first the first port, 1 to 65535
     * @param last the last port, {@code first} to 65535
     * @return the pool, all ports free
     * @throws IllegalArgumentException if the bounds are out of range or in the wrong order
     */
    public static PortPool of(int first, int last) {
        if (first < 1 || last > MAX_PORT || first > last) {
            throw new IllegalArgumentException("ports must be 1 <= first <= last <= 65535, were " + first + "-" + last);
        }
        return new PortPool(first, last);
    }

    /**
     * Acquires a free port.
     *
     * @return the port, acquired until {@link #release}
     * @throws PortsExhaustedException if every port is acquired, or in use by another process
     */
    public synchronized int acquire() {
        for (int tries = free.size(); tries > 0; tries--) {
            int port = free.remove();
            if (claim(port)) {
                acquired.add(port);
                return port;
            }
            free.add(port);
        }
        throw new PortsExhaustedException(this, acquired.size());
    }

    /**
     * The port for the next process of a worker: the current one if it can be bound, otherwise another one, acquired
     * now. The caller releases the port that is not used.
     *
     * @return the port; the current one also if no other is free
     */
    synchronized int next(int port) {
        if (LocalPorts.canBind(new InetSocketAddress(port))) {
            return port;
        }
        try {
            return acquire();
        } catch (PortsExhaustedException noOther) {
            return port;
        }
    }

    /**
     * Releases a port. Call this when the process that used it has exited. No effect if the port is not acquired.
     *
     * @param port the port
     */
    public synchronized void release(int port) {
        if (acquired.remove(port)) {
            unclaim(port);
            free.add(port);
        }
    }

    /** The bounds, as {@code 8100-8199}. */
    @Override
    public String toString() {
        return first + "-" + last;
    }

    /** Claims a port for this pool; false if another pool of this JVM has it, or it cannot be bound. */
    private boolean claim(int port) {
        synchronized (ACQUIRED) {
            WeakReference<PortPool> owner = ACQUIRED.get(port);
            if (owner != null && owner.get() != null) {
                return false;
            }
            ACQUIRED.put(port, new WeakReference<>(this));
        }
        boolean bound = false;
        try {
            bound = LocalPorts.canBind(new InetSocketAddress(port));
        } finally {
            if (!bound) {
                unclaim(port);
            }
        }
        return bound;
    }

    private static void unclaim(int port) {
        synchronized (ACQUIRED) {
            ACQUIRED.remove(port);
        }
    }
}
