package io.github.workerregistry.examples.faults;

import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import java.time.Duration;

/**
 * Maximum delays, derived from the library's documented times.
 *
 * @param config the times of the supervisor
 * @param restart its restart policy
 * @param kill from SIGKILL to the event
 * @param load from the start of a process to ready
 * @param margin the allowance for a loaded machine, added to everything else
 */
record Bounds(LifecycleConfig config, RestartPolicy restart, Duration kill, Duration load, Duration margin) {

    private static final double JITTER = 0.1; // of the health interval

    /** The bound of a kind; for a fault that must be survived, the observation time after it was undone. */
    Duration of(FaultKind kind) {
        return switch (kind) {
            case KILL, KILL_POOL_FULL -> kill;
            case HANG -> failedChecks().plus(config.healthTimeout()).plus(margin);
            case SICK -> failedChecks().plus(margin);
            case MUTE -> silence().plus(config.tickInterval().multipliedBy(2)).plus(margin);
            case CRASH_LOOP -> restart.max().plus(of(FaultKind.RESTART)).multipliedBy(restart.limit());
            case STOP -> config.drainTimeout().plus(exit());
            case OPERATOR_RESTART -> config.drainTimeout().plus(exit()).plus(of(FaultKind.RESTART));
            case FORCE_KILL -> kill.plus(margin);
            case PAUSE, SLOW, HANG_AT_WORK, DISK_FULL, POOL_FULL ->
                config.healthInterval().plus(config.healthTimeout());
            case IDLE ->
                config.idleTimeout()
                        .orElseThrow()
                        .plus(config.idleCheckInterval())
                        .plus(margin);
            case LOAD -> load;
            case RESTART -> config.tickInterval().plus(margin);
            case END -> config.drainTimeout().plus(exit());
            case MODEL_KILL -> kill;
            case MODEL_HANG -> request().plus(of(FaultKind.HANG)).plus(of(FaultKind.END));
            case MODEL_FAILING,
                    MODEL_UPDATE,
                    MODEL_REQUEST -> // a suspended worker may hold the room, then a load takes it
                of(FaultKind.MODEL_HANG).plus(of(FaultKind.END)).plus(load);
        };
    }

    /** How long a request to a worker of the model pool waits for the answer. */
    Duration request() {
        return config.healthTimeout().multipliedBy(2);
    }

    /** The minimum time without an answer before a worker may be stopped: the fastest series of failures. */
    Duration shortestHang() {
        int gaps = config.failureThreshold() - 1;
        Duration probes = config.healthInterval().multipliedBy(gaps);
        return probes.minus(fraction(probes)).plus(config.healthTimeout());
    }

    /** The minimum time without heartbeats before a worker may be stopped: its last one was due just now. */
    Duration shortestSilence() {
        return silence().minus(config.heartbeatInterval());
    }

    /** The last generation of a crash loop. Generations start at 1, and each restart adds one. */
    int lastGeneration() {
        return restart.limit() + 1;
    }

    private Duration silence() {
        return config.heartbeatInterval().multipliedBy(config.heartbeatMisses());
    }

    private Duration exit() {
        return config.stopGrace().plus(kill).plus(margin);
    }

    /** The slowest series of failures: a check has just passed, and each further one starts one tick late. */
    private Duration failedChecks() {
        Duration interval = config.healthInterval();
        return interval.plus(fraction(interval))
                .plus(config.tickInterval().multipliedBy(2))
                .multipliedBy(config.failureThreshold());
    }

    private static Duration fraction(Duration duration) {
        return Duration.ofNanos((long) (duration.toNanos() * JITTER));
    }
}
