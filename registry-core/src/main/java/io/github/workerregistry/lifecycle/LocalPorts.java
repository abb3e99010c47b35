package io.github.workerregistry.lifecycle;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.Socket;

/** Tries out the TCP ports of this machine. */
final class LocalPorts {

    private LocalPorts() {}

    /**
     * Whether a server that allows the reuse of addresses, as most do, can bind an address now. Bound with the wildcard
     * address, a port must be free on all addresses, IPv4 and IPv6. Not so if another process listens there, or holds
     * it as the local port of a connection; connections of an earlier server in TIME_WAIT do not count.
     *
     * <p>The port is bound and not listened on, so that another server may bind it at the same moment.
     *
     * @return false only if the system says that the address is in use or not allowed; what cannot be tried now, for
     *     want of a file descriptor, is not in use
     */
    static boolean canBind(InetSocketAddress address) {
        try (Socket socket = new Socket()) {
            socket.setReuseAddress(true);
            socket.bind(address);
            return true;
        } catch (BindException inUse) {
            return false;
        } catch (IOException unknown) {
            return true;
        }
    }
}
