package io.github.workerregistry.examples.hive;

import io.github.workerregistry.SlotUnavailableException;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.pool.ModelLoadFailedException;
import io.github.workerregistry.pool.NoCapacityException;
import java.time.Duration;
import java.util.concurrent.CompletionException;

/** What a client is told whose request got no slot. */
final class NoSlot {

    private static final Duration SOON = Duration.ofSeconds(1);

    private NoSlot() {}

    /** The failure of a stage that gives a slot. */
    static Throwable refusal(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof SlotUnavailableException none
                ? Refusal.later(code(none), none.getMessage(), none.retryAfter().orElse(SOON))
                : cause;
    }

    private static String code(SlotUnavailableException none) {
        if (none.isShuttingDown()) {
            return "shutting_down";
        }
        if (none instanceof ModelLoadFailedException) {
            return "load_failed";
        }
        return none instanceof NoCapacityException ? "no_capacity" : "no_free_slot";
    }
}
