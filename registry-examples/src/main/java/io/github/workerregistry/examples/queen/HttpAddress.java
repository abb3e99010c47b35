package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.http.ForeignText;
import java.net.URI;
import java.net.URISyntaxException;

/** Checks the address of a server: {@code http://host:port}, without further parts. TLS is not supported. */
final class HttpAddress {

    private static final int MAX_PORT = 65_535;
    private static final int NONE = -1;

    private HttpAddress() {}

    /**
     * Checks an address.
     *
     * @param url the address; the default port is 80
     * @return the same
     * @throws IllegalArgumentException if it is malformed or has further parts; the message contains it
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
            // malformed
        }
        throw new IllegalArgumentException(
                "the url must be one such as http://gpu-box:8081, was '" + ForeignText.sanitised(url) + "'");
    }

    private static boolean hasPort(URI uri, String url) {
        return uri.getPort() == NONE ? !url.endsWith(":") : uri.getPort() > 0 && uri.getPort() <= MAX_PORT;
    }
}
