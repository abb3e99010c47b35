package io.github.workerregistry.lifecycle;

import java.net.URI;
import java.net.URISyntaxException;

/** Checks that a client can connect to the url of a spawned worker. */
final class WorkerUrl {

    private static final int LAST_PORT = 65_535;

    private WorkerUrl() {}

    /**
     * Checks a url after the substitution of its placeholders.
     *
     * @param asWritten the url before the substitution, for the message: a value may be a secret
     * @return the url
     */
    static String require(String url, String asWritten) {
        try {
            URI uri = new URI(url);
            if (uri.getScheme() == null) {
                throw malformed(asWritten, "it has no scheme");
            }
            if (uri.getHost() == null) {
                throw malformed(
                        asWritten,
                        uri.getRawAuthority() == null
                                ? "it has no host"
                                : "its host is invalid: allowed are letters, digits, - and ., or IPv6 in []");
            }
            if (uri.getPort() == 0 || uri.getPort() > LAST_PORT) {
                throw malformed(asWritten, "its port must be 1 to 65535");
            }
            return url;
        } catch (URISyntaxException e) {
            throw malformed(asWritten, e.getReason() + " at index " + e.getIndex());
        }
    }

    private static IllegalArgumentException malformed(String asWritten, String reason) {
        return new IllegalArgumentException("url must be like http://host:port, was \"" + asWritten
                + (asWritten.contains("{") ? "\", after substitution: " : "\": ") + reason);
    }
}
