package io.github.workerregistry.examples.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;

/**
 * A bound, listening socket, created before the server: a program whose port is in use fails first, and the real port
 * of {@code --port 0} is known.
 *
 * @param socket the socket
 */
public record Listening(ServerSocketChannel socket) {

    /** The backlog of connections. The default of 50 is too small for many concurrent clients. */
    private static final int BACKLOG = 1024;

    /**
     * Binds a socket.
     *
     * @param host the address to listen on
     * @param port the port; 0 for any free one
     * @return the socket
     * @throws IOException if that is not possible; the message says where and why
     */
    public static Listening on(String host, int port) throws IOException {
        ServerSocketChannel socket = ServerSocketChannel.open();
        try {
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), port), BACKLOG);
            return new Listening(socket);
        } catch (IOException e) {
            socket.close();
            throw new IOException("cannot listen on " + host + ":" + port + ": " + e.getMessage(), e);
        }
    }

    /**
     * Its url on this machine.
     *
     * @return for example {@code http://127.0.0.1:8081}
     * @throws IOException if the socket is closed
     */
    public String url() throws IOException {
        InetAddress address = address().getAddress();
        return url(address.isAnyLocalAddress() ? "127.0.0.1" : address.getHostAddress());
    }

    /**
     * Its url with a given host name or address.
     *
     * @param host the host
     * @return for example {@code http://gpu-box:8081}
     * @throws IOException if the socket is closed
     */
    public String url(String host) throws IOException {
        return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port();
    }

    /**
     * The port.
     *
     * @return 1 to 65535
     * @throws IOException if the socket is closed
     */
    public int port() throws IOException {
        return address().getPort();
    }

    /**
     * Whether it listens on every address of this machine.
     *
     * @return true if so
     * @throws IOException if the socket is closed
     */
    public boolean isEverywhere() throws IOException {
        return address().getAddress().isAnyLocalAddress();
    }

    private InetSocketAddress address() throws IOException {
        return (InetSocketAddress) socket.getLocalAddress();
    }
}
