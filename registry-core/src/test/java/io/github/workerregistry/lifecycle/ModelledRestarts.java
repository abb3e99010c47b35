package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit.Cause;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** Which ends of a worker are followed by a restart, and when, in the model. */
final class ModelledRestarts {

    /** A restart to come. */
    record Next(int attempt, Duration delay) {}

    /** One that somebody asked for. */
    static final Next AT_ONCE = new Next(1, Duration.ZERO);

    private static final Set<Cause> FAILURES = EnumSet.of(
            Cause.CRASHED,
            Cause.CRASH_LOOP,
            Cause.START_FAILED,
            Cause.UNHEALTHY,
            Cause.LOAD_STALL,
            Cause.LOAD_TIMEOUT,
            Cause.HEARTBEAT_MISSED);

    private final RestartPolicy.Mode mode;
    private final Deque<Instant> failures = new ArrayDeque<>();
    private int failuresInARow;

    ModelledRestarts(RestartPolicy.Mode mode) {
        this.mode = mode;
    }

    static boolean isFailure(Cause cause) {
        return FAILURES.contains(cause);
    }

    boolean follow(Cause cause) {
        return switch (mode) {
            case NEVER -> false;
            case ON_FAILURE -> isFailure(cause);
            case ALWAYS -> isFailure(cause) || cause == Cause.EXITED;
        };
    }

    /** The restart after one more failure; empty if there were too many. */
    Optional<Next> after(Instant now, Optional<Instant> readyAt) {
        failures.removeIf(failure -> !failure.isAfter(now.minus(LifeRules.RESTART_WINDOW)));
        if (failures.size() >= LifeRules.RESTARTS) {
            return Optional.empty();
        }
        failures.add(now);
        boolean wasStable =
                readyAt.isPresent() && !readyAt.get().plus(LifeRules.STABLE).isAfter(now);
        failuresInARow = wasStable ? 1 : failuresInARow + 1;
        Duration wait = LifeRules.FIRST_WAIT.multipliedBy(1L << (failuresInARow - 1));
        return Optional.of(
                new Next(failuresInARow, wait.compareTo(LifeRules.LONGEST_WAIT) < 0 ? wait : LifeRules.LONGEST_WAIT));
    }
}
