package io.github.workerregistry.lifecycle;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds the addresses of this machine that a url refers to. Queries no name server: a host that is neither an IP
 * address nor {@code localhost} is ignored.
 */
final class LocalAddresses {

    private static final Pattern IPV4 = Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");
    private static final InetAddress IPV4_LOOPBACK = numeric(127, 0, 0, 1);
    private static final InetAddress IPV6_LOOPBACK = numeric(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    private static final int HIGHEST_PORT = 65_535;

    private LocalAddresses() {}

    /**
     * The addresses; empty if the host is another machine or a name, or if the port is not known.
     *
     * @throws SocketException if the addresses of this machine cannot be read now
     */
    static List<InetSocketAddress> of(String url) throws SocketException {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException noUrl) {
            return List.of();
        }
        int port = portOf(uri);
        return uri.getHost() == null || port < 1 || port > HIGHEST_PORT ? List.of() : at(hostsOf(uri.getHost()), port);
    }

    /** The port of a url, or the default port of its scheme; negative if there is neither. */
    static int portOf(String url) {
        try {
            return portOf(new URI(url));
        } catch (URISyntaxException noUrl) {
            return -1;
        }
    }

    /** Both loopback addresses. */
    static List<InetSocketAddress> loopback(int port) {
        return at(List.of(IPV4_LOOPBACK, IPV6_LOOPBACK), port);
    }

    private static List<InetSocketAddress> at(List<InetAddress> hosts, int port) {
        return hosts.stream().map(host -> new InetSocketAddress(host, port)).toList();
    }

    private static int portOf(URI uri) {
        if (uri.getPort() >= 0 || uri.getScheme() == null) {
            return uri.getPort();
        }
        return switch (uri.getScheme().toLowerCase(Locale.ROOT)) {
            case "http" -> 80;
            case "https" -> 443;
            default -> -1;
        };
    }

    private static List<InetAddress> hostsOf(String host) throws SocketException {
        if (host.equalsIgnoreCase("localhost")) {
            return List.of(IPV4_LOOPBACK, IPV6_LOOPBACK); // a client may connect to either
        }
        InetAddress address = parse(host);
        if (address == null) {
            return List.of();
        }
        if (address.isAnyLocalAddress()) { // a client that connects there reaches the loopback address
            return List.of(address.getAddress().length == 4 ? IPV4_LOOPBACK : IPV6_LOOPBACK);
        }
        boolean local = address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
        return local ? List.of(address) : List.of();
    }

    /** The address that a host denotes; null if it is a name, which would need a lookup. */
    private static @Nullable InetAddress parse(String host) {
        if (host.startsWith("[")) {
            try {
                return InetAddress.getByName(host); // between brackets only an IPv6 address is accepted
            } catch (UnknownHostException noSuchScope) {
                return null;
            }
        }
        Matcher ipv4 = IPV4.matcher(host);
        if (!ipv4.matches()) {
            return null;
        }
        int[] numbers = new int[ipv4.groupCount()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = Integer.parseInt(ipv4.group(i + 1));
            if (numbers[i] > 255) {
                return null;
            }
        }
        return numeric(numbers);
    }

    private static InetAddress numeric(int... numbers) {
        byte[] bytes = new byte[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            bytes[i] = (byte) numbers[i];
        }
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException wrongLength) {
            throw new AssertionError(wrongLength);
        }
    }
}
