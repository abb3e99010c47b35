package io.github.workerregistry.lifecycle;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * The ports that workers may listen on.
 *
 * <p>A port is taken under one lock, so no two workers get the same, and only if nobody else on this machine listens on
 * it, which is tried by binding it. Of the free ports, the one given back longest ago comes first: a client that still
 * talks to a port's old owner does not meet a new one. Thread-safe; one range may serve several supervisors.
 */
public final class PortRange {

    private static final int MAX_PORT = 65_535;

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
     * @throws PortsExhaustedException if every port is taken, or in use by somebody else
     */
    public synchronized int take() {
        for (int tries = free.size(); tries > 0; tries--) {
            int port = free.remove();
            if (canBind(port)) {
                taken.add(port);
                return port;
            }
            free.add(port);
        }
        throw new PortsExhaustedException(this, taken.size());
    }

    /**
     * Gives a port back, when the process that used it has gone. A port that is not taken is left as it is.
     *
     * @param port the port
     */
    public synchronized void giveBack(int port) {
        if (taken.remove(port)) {
            free.add(port);
        }
    }

    /** The bounds, as {@code 8100-8199}. */
    @Override
    public String toString() {
        return first + "-" + last;
    }

    private static boolean canBind(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true); // connections of an earlier owner in TIME_WAIT do not count
            socket.bind(new InetSocketAddress(port), 1);
            return true;
        } catch (IOException inUse) {
            return false;
        }
    }
}
