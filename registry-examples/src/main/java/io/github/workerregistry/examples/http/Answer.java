package io.github.workerregistry.examples.http;

import java.util.Optional;

/**
 * An answer of an endpoint.
 *
 * @param status the HTTP status
 * @param json its body, which may be a {@link Text}; empty for none
 */
public record Answer(int status, Optional<Object> json) {

    Answer(int status, Object json) {
        this(status, Optional.of(json));
    }

    /**
     * An answer with status 200.
     *
     * @param json its body
     * @return the answer
     */
    public static Answer ok(Object json) {
        return new Answer(200, json);
    }

    /**
     * An action was started.
     *
     * @param json its body
     * @return an answer with status 202
     */
    public static Answer accepted(Object json) {
        return new Answer(202, json);
    }

    /**
     * An answer without a body.
     *
     * @return an answer with status 204
     */
    public static Answer none() {
        return new Answer(204, Optional.empty());
    }
}
