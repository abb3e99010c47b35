package io.github.workerregistry.lifecycle;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketTimeoutException;

/** Tests TCP ports of this machine. */
final class LocalPorts {

    /** A connection within a machine is made or refused at once, unless the server's backlog is full. */
    private static final int CONNECT_MILLIS = 200;

    private LocalPorts() {}

    /**
     * Whether a server that allows the reuse of addresses, as most do, can bind an address now. Bound with the wildcard
     * address, a port must be free on all addresses, IPv4 and IPv6. It is not free if another process listens there, or
     * uses it as the local port of a connection. Connections of an earlier server in TIME_WAIT do not count if that
     * server also allowed the reuse.
     *
     * <p>The port is bound but not listened on, so another server may bind it at the same time.
     *
     * @return false only if the system reports that the address is in use or not allowed; true if this cannot be tested
     *     now, because no file descriptor is free
     */
    static boolean canBind(InetSocketAddress address) {
        try (Socket socket = new Socket(Proxy.NO_PROXY)) {
            socket.setReuseAddress(true);
            socket.bind(address);
            return true;
        } catch (BindException inUse) {
            return false;
        } catch (IOException unknown) {
            return true;
        }
    }

    /**
     * Whether a process listens at an address of this machine. Connects to it, but only if the address cannot be bound:
     * a failed bind alone may have other reasons (a privileged port, connections of an earlier server).
     */
    static boolean isListenedOn(InetSocketAddress address) {
        return !canBind(address) && acceptsConnections(address);
    }

    private static boolean acceptsConnections(InetSocketAddress address) {
        try (Socket socket = new Socket(Proxy.NO_PROXY)) {
            socket.connect(address, CONNECT_MILLIS);
            return socket.getLocalPort() != address.getPort(); // else a self-connect
        } catch (SocketTimeoutException busy) {
            return true;
        } catch (IOException refused) {
            return false;
        }
    }
}
