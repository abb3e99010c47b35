package io.github.workerregistry.lifecycle;

import java.time.Duration;

/** The limits of the models, and the same for a supervisor. Small, so that a life cycle is short. */
final class ModelConfig {

    static final int SLOTS = 2;
    static final int FAILURES = 2;
    static final Duration TICK = Duration.ofSeconds(1);
    static final Duration READY_PROBE = Duration.ofSeconds(2);
    static final Duration HEALTH_INTERVAL = Duration.ofSeconds(10);
    static final Duration HEALTH_TIMEOUT = Duration.ofSeconds(3);
    static final Duration LOAD_STALL = Duration.ofSeconds(20);
    static final Duration LOAD_TIMEOUT = Duration.ofSeconds(70);
    static final Duration BEAT = Duration.ofSeconds(5);
    static final int BEATS_MISSED = 3;
    static final int MANY = 3;
    static final Duration SUSPECT_LIMIT = Duration.ofSeconds(30);
    static final Duration IDLE_TIMEOUT = Duration.ofMinutes(1);
    static final Duration IDLE_CHECK = Duration.ofSeconds(12);
    static final Duration DRAIN = Duration.ofSeconds(20);
    static final int RESTARTS = 2;
    static final Duration RESTART_WINDOW = Duration.ofMinutes(2);
    static final Duration FIRST_WAIT = Duration.ofSeconds(2);
    static final Duration LONGEST_WAIT = Duration.ofSeconds(16);
    static final Duration STABLE = Duration.ofMinutes(1);
    static final Duration GRACE = Duration.ofSeconds(8);
    static final Duration KILL_WAIT = Duration.ofSeconds(5);

    private ModelConfig() {}

    /** The output of one worker is discarded. */
    static boolean recordsOutput(String id) {
        return !id.equals("c");
    }

    static LifecycleConfig config() {
        return LifecycleConfig.builder()
                .tickInterval(TICK)
                .readyInterval(READY_PROBE)
                .healthInterval(HEALTH_INTERVAL)
                .healthTimeout(HEALTH_TIMEOUT)
                .failureThreshold(FAILURES)
                .loadStallTimeout(LOAD_STALL)
                .loadTimeout(LOAD_TIMEOUT)
                .heartbeatInterval(BEAT)
                .heartbeatMisses(BEATS_MISSED)
                .suspicionTimeout(SUSPECT_LIMIT)
                .idleTimeout(IDLE_TIMEOUT)
                .idleCheckInterval(IDLE_CHECK)
                .drainTimeout(DRAIN)
                .stopGrace(GRACE)
                .killTimeout(KILL_WAIT)
                .build();
    }

    static RestartPolicy policy(RestartPolicy.Mode mode) {
        return RestartPolicy.builder()
                .mode(mode)
                .initial(FIRST_WAIT)
                .max(LONGEST_WAIT)
                .jitter(0)
                .stableAfter(STABLE)
                .limit(RESTARTS)
                .window(RESTART_WINDOW)
                .build();
    }
}
