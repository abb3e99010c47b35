package io.github.workerregistry.examples.http;

import java.net.InetAddress;

/**
 * The address that a server listens on.
 *
 * @param address the address
 * @param port 1 to 65535
 */
public record BoundAddress(InetAddress address, int port) {

    /**
     * Its url on this machine.
     *
     * @return for example {@code http://127.0.0.1:8081}
     */
    public String url() {
        return url(address.isAnyLocalAddress() ? "127.0.0.1" : address.getHostAddress());
    }

    /**
     * Its url with a given host name or address.
     *
     * @param host the host
     * @return for example {@code http://gpu-box:8081}
     */
    public String url(String host) {
        return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }

    /**
     * Whether it listens on every address of this machine.
     *
     * @return true if so
     */
    public boolean isEverywhere() {
        return address.isAnyLocalAddress();
    }
}
