package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit.Cause;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** Which exits are followed by a restart, and when. */
final class RestartModel {

    /** A scheduled restart. */
    record Next(int attempt, Duration delay) {}

    /** An operator's restart. */
    static final Next AT_ONCE = new Next(1, Duration.ZERO);

    private static final Set<Cause> FAILURES = EnumSet.of(
            Cause.CRASHED,
            Cause.CRASH_LOOP,
            Cause.START_FAILED,
            Cause.UNHEALTHY,
            Cause.LOAD_STALL,
            Cause.LOAD_TIMEOUT,
            Cause.HEARTBEAT_MISSED);

    private final RestartPolicy policy;
    private final Deque<Instant> failures = new ArrayDeque<>();
    private int failuresInARow;

    RestartModel(RestartPolicy policy) {
        this.policy = policy;
    }

    static boolean isFailure(Cause cause) {
        return FAILURES.contains(cause);
    }

    boolean follow(Cause cause) {
        return switch (policy.mode()) {
            case NEVER -> false;
            case ON_FAILURE -> isFailure(cause);
            case ALWAYS -> isFailure(cause) || cause == Cause.EXITED;
        };
    }

    /** The restart after one more failure; empty if there were too many. */
    Optional<Next> after(Instant now, Optional<Instant> readyAt) {
        failures.removeIf(failure -> !failure.isAfter(now.minus(policy.window())));
        if (failures.size() >= policy.limit()) {
            return Optional.empty();
        }
        failures.add(now);
        boolean wasStable =
                readyAt.isPresent() && !readyAt.get().plus(policy.stableAfter()).isAfter(now);
        failuresInARow = wasStable ? 1 : failuresInARow + 1;
        Duration wait = policy.initial().multipliedBy(1L << (failuresInARow - 1));
        return Optional.of(new Next(failuresInARow, wait.compareTo(policy.max()) < 0 ? wait : policy.max()));
    }
}
