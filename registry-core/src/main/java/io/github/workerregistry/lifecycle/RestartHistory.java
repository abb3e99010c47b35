package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** What a worker's restarts so far mean for the next one. Thread-safe. */
final class RestartHistory {

    private final RestartPolicy policy;
    private final Deque<Instant> restarts = new ArrayDeque<>();
    private int failuresInARow;

    RestartHistory(RestartPolicy policy) {
        this.policy = policy;
    }

    /** A restart to come. */
    record Next(int attempt, Duration delay) {}

    /** A restart that is not counted. */
    static final Next AT_ONCE = new Next(1, Duration.ZERO);

    /**
     * Counts a failure and plans the restart after it.
     *
     * @param readyFor how long the worker had been ready when it ended
     * @param random 0 to 1, the position within the jitter
     * @return the restart, counted; empty if the window has seen too many
     */
    synchronized Optional<Next> afterFailure(Instant now, Duration readyFor, double random) {
        while (!restarts.isEmpty() && !restarts.getFirst().isAfter(now.minus(policy.window()))) {
            restarts.removeFirst();
        }
        if (restarts.size() >= policy.limit()) {
            return Optional.empty();
        }
        restarts.addLast(now);
        if (readyFor.compareTo(policy.stableAfter()) >= 0) {
            failuresInARow = 0;
        }
        failuresInARow = Math.min(failuresInARow, Integer.MAX_VALUE - 1) + 1;
        return Optional.of(new Next(failuresInARow, policy.delay(failuresInARow, random)));
    }
}
