package io.github.workerregistry.examples.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;

/**
 * A socket that is bound and listens, before there is a server to answer: so a program that cannot have its port fails
 * before it has done anything else, and knows the real port of {@code --port 0}.
 *
 * @param socket the socket
 */
public record Listening(ServerSocketChannel socket) {

    /** How many connections may wait to be accepted; the system's 50 are soon reached by many clients at once. */
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
     * Where it is reached from this machine.
     *
     * @return for example {@code http://127.0.0.1:8081}
     * @throws IOException if the socket is closed
     */
    public String url() throws IOException {
        InetAddress address = address().getAddress();
        return url(address.isAnyLocalAddress() ? "127.0.0.1" : address.getHostAddress());
    }

    /**
     * Where it is reached under a host's name or address.
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
