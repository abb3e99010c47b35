package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;

/**
 * SIGTERM and SIGINT that the supervisor did not send: a service manager may signal a hive and its workers at once, and
 * a worker's exit may be detected before the JVM begins to shut down.
 */
final class SharedSignal {

    /** How long the exit of such a worker waits for a shutdown of the hive. */
    static final Duration DEFERRAL = Duration.ofMillis(200);

    private static final Set<Integer> SIGNALS = Set.of(2, 15);

    private SharedSignal() {}

    /** Whether a process was ended by such a signal. */
    static boolean ended(ExitStatus status) {
        return !status.requested() && SIGNALS.contains(status.signal().orElse(0));
    }

    /** Whether the hive may still follow a worker whose exit was noticed first at that time. */
    static boolean mayFollow(Instant noticed, Instant now) {
        return Duration.between(noticed, now).compareTo(DEFERRAL) < 0;
    }
}
