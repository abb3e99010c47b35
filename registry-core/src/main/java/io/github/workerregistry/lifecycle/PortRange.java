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
 * The ports that workers may listen on.
 *
 * <p>A port is given to one worker at a time, also where several ranges in this JVM overlap (two supervisors with the
 * defaults), and only if it can be bound: nobody else on this machine listens on it, on any address. Another process
 * can still take it before the worker does; a supervisor finds that before the worker is ready, and gives the next
 * generation another port. Of the free ports, the one given back longest ago comes first: a client that still talks to
 * a port's old owner does not meet a new one. Thread-safe; one range may serve several supervisors.
 */
public final class PortRange {

    private static final int MAX_PORT = 65_535;

    /** The ports that are taken in this JVM, and the range of each. A range that is garbage has taken none. */
    private static final Map<Integer, WeakReference<PortRange>> TAKEN = new HashMap<>();

    private final int first;
    private final int last;
    private final Deque<Integer> free = new ArrayDeque<>();
    private final Set<Integer> taken = new HashSet<>();

    private PortRange(int first, int last) {
        this.first = first;
        this.last = last;
        for (int port = first; port <= last; port++) {
            free.add(port);
        }
    }

    /**
     * A range of ports, both ends included.
     *
     * @param first the first port, 1 to 65535
     * @param last the last port, {@code first} to 65535
     * @return the range, all ports free
     * @throws IllegalArgumentException if the bounds are out of range or in the wrong order
     */
    public static PortRange of(int first, int last) {
        if (first < 1 || last > MAX_PORT || first > last) {
            throw new IllegalArgumentException("ports must be 1 <= first <= last <= 65535, were " + first + "-" + last);
        }
        return new PortRange(first, last);
    }

    /**
     * Takes a free port.
     *
     * @return the port; the caller's until {@link #giveBack}
     * @throws PortsExhaustedException if every port is taken, or in use by another process
     */
    public synchronized int take() {
        for (int tries = free.size(); tries > 0; tries--) {
            int port = free.remove();
            if (claim(port)) {
                taken.add(port);
                return port;
            }
            free.add(port);
        }
        throw new PortsExhaustedException(this, taken.size());
    }

    /**
     * The port for the next process of a worker: the one that the worker has, if it can still be bound; else another
     * one, taken now. The caller gives back the one that is not used.
     *
     * @return the port; the same one also if no other is free
     */
    synchronized int next(int port) {
        if (LocalPorts.canBind(new InetSocketAddress(port))) {
            return port;
        }
        try {
            return take();
        } catch (PortsExhaustedException noOther) {
            return port;
        }
    }

    /**
     * Gives a port back, when the process that used it has gone. A port that is not taken is left as it is.
     *
     * @param port the port
     */
    public synchronized void giveBack(int port) {
        if (taken.remove(port)) {
            release(port);
            free.add(port);
        }
    }

    /** The bounds, as {@code 8100-8199}. */
    @Override
    public String toString() {
        return first + "-" + last;
    }

    /** Takes a port for this range, unless another range in this JVM has it, or it cannot be bound. */
    private boolean claim(int port) {
        synchronized (TAKEN) {
            WeakReference<PortRange> owner = TAKEN.get(port);
            if (owner != null && owner.get() != null) {
                return false;
            }
            TAKEN.put(port, new WeakReference<>(this));
        }
        boolean bound = false;
        try {
            bound = LocalPorts.canBind(new InetSocketAddress(port));
        } finally {
            if (!bound) {
                release(port);
            }
        }
        return bound;
    }

    private static void release(int port) {
        synchronized (TAKEN) {
            TAKEN.remove(port);
        }
    }
}
