package io.github.workerregistry.examples.http;

import java.util.Map;

/**
 * The body of an {@link Answer} that is not JSON.
 *
 * @param type its media type
 * @param body its text, sent as UTF-8
 * @param headers further headers of the response
 */
public record Text(String type, String body, Map<String, String> headers) {

    /** Copies the headers. */
    public Text {
        headers = Map.copyOf(headers);
    }

    /**
     * A text without further headers.
     *
     * @param type its media type
     * @param body its text
     */
    public Text(String type, String body) {
        this(type, body, Map.of());
    }
}
