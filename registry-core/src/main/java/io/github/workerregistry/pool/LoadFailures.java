package io.github.workerregistry.pool;

import io.github.workerregistry.Exit;
import io.github.workerregistry.lifecycle.RestartPolicy;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** The failed loads of a model, and what they mean for the next one. Not thread-safe. */
final class LoadFailures {

    private final Deque<Instant> recent = new ArrayDeque<>();
    private int inARow;
    private Optional<LoadFailure> last = Optional.empty();

    /** The last failure; empty after {@link #forget}, or while the model serves. */
    Optional<LoadFailure> last() {
        return last;
    }

    /**
     * Counts a failure.
     *
     * @param random 0 to 1, the position within the jitter
     */
    LoadFailure add(Instant now, Optional<Exit> exit, String message, RestartPolicy policy, double random) {
        while (!recent.isEmpty() && !recent.getFirst().isAfter(now.minus(policy.window()))) {
            recent.removeFirst();
        }
        boolean again = policy.mode() != RestartPolicy.Mode.NEVER && recent.size() < policy.limit();
        recent.addLast(now);
        inARow = Math.min(inARow, Integer.MAX_VALUE - 1) + 1;
        LoadFailure failure = new LoadFailure(
                exit, message, again ? Optional.of(now.plus(policy.delay(inARow, random))) : Optional.empty());
        last = Optional.of(failure);
        return failure;
    }

    /** A worker is ready. Failures still count until it has been ready for long. */
    void served() {
        last = Optional.empty();
    }

    /** A load is requested by hand, or a worker has been ready for long: failures are counted anew. */
    void forget() {
        recent.clear();
        inARow = 0;
        last = Optional.empty();
    }
}
