package io.github.workerregistry.examples.queen;

import java.net.InetSocketAddress;
import java.net.URI;
import org.apache.zookeeper.client.ConnectStringParser;

/** Distinguishes loopback addresses from those that other machines can use. Makes no DNS query. */
final class Loopback {

    private Loopback() {}

    /** Whether other users of these servers may be on another machine and so cannot reach that url. */
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
