package io.github.workerregistry.examples.http;

import io.vertx.core.MultiMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** Copies the headers of a message that is forwarded, less those that concern one connection (RFC 9110, 7.6.1). */
final class HopByHop {

    private static final Set<String> NAMES = Set.of(
            "connection",
            "expect",
            "host", // that of the next server is set by the client
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade");

    private HopByHop() {}

    static void copy(MultiMap from, MultiMap to) {
        Set<String> named = named(from.getAll("Connection"));
        from.forEach((name, value) -> {
            String lower = name.toLowerCase(Locale.ROOT);
            if (!NAMES.contains(lower) && !named.contains(lower)) {
                to.add(name, value);
            }
        });
    }

    private static Set<String> named(List<String> connection) {
        Set<String> names = new TreeSet<>();
        for (String value : connection) {
            for (String name : value.split(",", -1)) {
                names.add(name.strip().toLowerCase(Locale.ROOT));
            }
        }
        return names;
    }
}
