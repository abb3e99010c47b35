package io.github.workerregistry.examples.queen;

import io.github.workerregistry.LogText;
import java.net.URI;
import java.net.URISyntaxException;

/** The rule for where somebody answers: {@code http://host:port}, and no more. Nobody here speaks TLS. */
final class HttpAddress {

    private static final int MAX_PORT = 65_535;
    private static final int NONE = -1;

    private HttpAddress() {}

    /**
     * Checks an address.
     *
     * @param url the address; without a port it is that of port 80
     * @return the same
     * @throws IllegalArgumentException if it is none, or more than that; the message has it
     */
    static String require(String url) {
        try {
            URI uri = new URI(url);
            if (url.equals("http://" + uri.getRawAuthority())
                    && uri.getHost() != null
                    && uri.getRawUserInfo() == null
                    && hasPort(uri, url)) {
                return url;
            }
        } catch (URISyntaxException e) {
            // it is none
        }
        throw new IllegalArgumentException(
                "the url must be one such as http://gpu-box:8081, was '" + LogText.of(url) + "'");
    }

    private static boolean hasPort(URI uri, String url) {
        return uri.getPort() == NONE ? !url.endsWith(":") : uri.getPort() > 0 && uri.getPort() <= MAX_PORT;
    }
}
