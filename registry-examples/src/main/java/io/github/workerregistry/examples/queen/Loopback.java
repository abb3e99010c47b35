package io.github.workerregistry.examples.queen;

import java.net.InetSocketAddress;
import java.net.URI;
import org.apache.zookeeper.client.ConnectStringParser;

/** Tells addresses that mean one machine to itself from those that others can use. Asks no name server. */
final class Loopback {

    private Loopback() {}

    /** Whether whoever else uses these servers may be on another machine, and so cannot use that url. */
    static boolean isOutOfReach(String url, String servers) {
        return is(URI.create(url).getHost())
                && !new ConnectStringParser(servers)
                        .getServerAddresses().stream()
                                .map(InetSocketAddress::getHostString)
                                .allMatch(Loopback::is);
    }

    private static boolean is(String host) {
        return host.equals("localhost") || host.startsWith("127.") || host.matches("\\[?::1]?");
    }
}
