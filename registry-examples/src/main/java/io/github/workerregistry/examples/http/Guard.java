package io.github.workerregistry.examples.http;

import io.vertx.core.MultiMap;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * Refuses what a web page in a browser on this machine could send. A page whose name is made to point to this machine
 * (DNS rebinding) sends its own name as Host; a page of another server sends its Origin. An address is no name, so it
 * is always accepted.
 */
public final class Guard {

    private static final List<String> OVERRIDES =
            List.of("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override");

    private final Set<String> hosts = new TreeSet<>();

    /**
     * Accepts addresses, {@code localhost}, the name of this machine, and other names.
     *
     * @param names further names of this machine
     */
    public Guard(Collection<String> names) {
        hosts.add("localhost");
        names.forEach(name -> hosts.add(name.toLowerCase(Locale.ROOT)));
        hosts.add(hostName().toLowerCase(Locale.ROOT));
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost"; // it has no name
        }
    }

    /**
     * Checks a request.
     *
     * @throws Refusal if it is refused
     */
    void check(Exchange exchange) {
        MultiMap headers = exchange.request().headers();
        List<String> host = headers.getAll("Host");
        if (host.size() > 1 || !host.stream().allMatch(this::isOurs)) {
            throw new Refusal(421, "wrong_host", "the header Host names another server; see --allowed-host");
        }
        for (String origin : headers.getAll("Origin")) {
            if (host.isEmpty() || !origin.equalsIgnoreCase("http://" + host.get(0))) {
                throw new Refusal(403, "wrong_origin", "requests of web pages of other servers are refused");
            }
        }
        if (OVERRIDES.stream().anyMatch(headers::contains)) {
            throw new Refusal(400, "method_override", "the method of a request cannot be overridden");
        }
    }

    private boolean isOurs(String host) {
        String name = nameOf(host);
        return name.startsWith("[") || name.matches("[0-9.]+") || hosts.contains(name);
    }

    private static String nameOf(String host) {
        int port = host.startsWith("[") ? -1 : host.indexOf(':');
        String name = port < 0 ? host : host.substring(0, port);
        return (name.endsWith(".") ? name.substring(0, name.length() - 1) : name).toLowerCase(Locale.ROOT);
    }
}
