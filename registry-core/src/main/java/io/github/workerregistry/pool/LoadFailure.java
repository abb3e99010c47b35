package io.github.workerregistry.pool;

import io.github.workerregistry.Exit;
import java.time.Instant;
import java.util.Optional;

/**
 * The last failed load of a model.
 *
 * @param exit of its worker; empty if the process could not be started
 * @param message why it failed, sanitised
 * @param retryAt when a request may load the model again; empty: only {@link WorkerPool#load} does
 */
record LoadFailure(Optional<Exit> exit, String message, Optional<Instant> retryAt) {

    /** Whether requests fail at once. */
    boolean blocks(Instant now) {
        return retryAt.isEmpty() || retryAt.get().isAfter(now);
    }

    String describe() {
        return message + retryAt.map(at -> "; next try at " + at).orElse("; not tried again until load() is called");
    }
}
