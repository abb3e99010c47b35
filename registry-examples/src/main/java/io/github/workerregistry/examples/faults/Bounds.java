package io.github.workerregistry.examples.faults;

import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import java.time.Duration;

/**
 * How long each thing may take at the longest, worked out of the library's documented times.
 *
 * @param config the times of the supervisor
 * @param restart its restart policy
 * @param kill from SIGKILL to the event
 * @param load from the start of a process to ready
 * @param margin what a loaded machine may add to everything else
 */
record Bounds(LifecycleConfig config, RestartPolicy restart, Duration kill, Duration load, Duration margin) {

    private static final double JITTER = 0.1; // of the health interval

    /** The bound of a kind; for what must be survived, how long the worker is watched when all is well again. */
    Duration of(FaultKind kind) {
        return switch (kind) {
            case KILL, KILL_POOL_FULL -> kill;
            case HANG -> failedChecks().plus(config.healthTimeout()).plus(margin);
            case SICK -> failedChecks().plus(margin);
            case MUTE -> silence().plus(config.sweep().multipliedBy(2)).plus(margin);
            case CRASH_LOOP -> restart.max().plus(of(FaultKind.RESTART)).multipliedBy(restart.limit());
            case STOP -> config.drain().plus(gone());
            case OPERATOR_RESTART -> config.drain().plus(gone()).plus(of(FaultKind.RESTART));
            case FORCE_KILL -> kill.plus(margin);
            case PAUSE, SLOW, HANG_AT_WORK, DISK_FULL, POOL_FULL ->
                config.healthInterval().plus(config.healthTimeout());
            case IDLE ->
                config.idleTimeout().orElseThrow().plus(config.idleCheck()).plus(margin);
            case LOAD -> load;
            case RESTART -> config.sweep().plus(margin);
            case END -> config.drain().plus(gone());
        };
    }

    /** For how long a worker can be without an answer and must not be given up: the fastest series of failures. */
    Duration shortestHang() {
        int gaps = config.failureThreshold() - 1;
        Duration probes = config.healthInterval().multipliedBy(gaps);
        return probes.minus(fraction(probes)).plus(config.healthTimeout());
    }

    /** How soon a worker may be given up at the earliest that sends no more heartbeats: its last was due just now. */
    Duration shortestSilence() {
        return silence().minus(config.heartbeatInterval());
    }

    /** Of a crash loop. Generations begin at 1, and each restart adds one. */
    int lastGeneration() {
        return restart.limit() + 1;
    }

    private Duration silence() {
        return config.heartbeatInterval().multipliedBy(config.heartbeatMisses());
    }

    private Duration gone() {
        return config.stopGrace().plus(kill).plus(margin);
    }

    /** The slowest series of failures: one check has just passed, and each of the next begins a sweep late. */
    private Duration failedChecks() {
        Duration interval = config.healthInterval();
        return interval.plus(fraction(interval))
                .plus(config.sweep().multipliedBy(2))
                .multipliedBy(config.failureThreshold());
    }

    private static Duration fraction(Duration duration) {
        return Duration.ofNanos((long) (duration.toNanos() * JITTER));
    }
}
