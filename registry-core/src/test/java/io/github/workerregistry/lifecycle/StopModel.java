package io.github.workerregistry.lifecycle;

import java.time.Duration;

/**
 * The stop of a worker: open leases drain until the drain timeout; then SIGTERM; after the grace, SIGKILL; after the
 * kill timeout it is unkillable. Times are active times, without pauses.
 */
final class StopModel {

    private static final Duration NEVER = Duration.ofDays(1_000);

    private final LifecycleConfig config;
    private boolean begun;
    private boolean terminated;
    private boolean killed;
    private boolean unkillable;
    private Duration drainUntil = NEVER;
    private Duration killAt = NEVER;
    private Duration unkillableAt = NEVER;

    private int attempts = 1;
    private boolean isLast;

    StopModel(LifecycleConfig config) {
        this.config = config;
    }

    /** The supervisor's loops have ended, so no further attempt is made. */
    void isLast() {
        isLast = true;
    }

    /** Begins the stop, or shortens one in progress; an unkillable process is killed again. */
    void begin(Duration now, Duration drain, Duration untilKill) {
        begun = true;
        if (unkillable && !isLast) {
            unkillable = false;
            unkillableAt = NEVER;
            attempts++;
        }
        drainUntil = min(drainUntil, now.plus(drain));
        killAt = min(killAt, now.plus(untilKill));
    }

    /** Takes every step that is due. */
    void proceed(Duration now, int openLeases) {
        if (begun && !isSignalled() && (openLeases == 0 || isOver(drainUntil, now))) {
            terminated = !isOver(killAt, now);
            killed = !terminated;
            killAt = min(killAt, now.plus(config.stopGrace()));
        }
        killed |= terminated && isOver(killAt, now);
        if (killed) {
            unkillableAt = min(unkillableAt, now.plus(config.killTimeout()));
        }
        unkillable |= isOver(unkillableAt, now);
    }

    boolean isSignalled() {
        return terminated || killed;
    }

    boolean isTerminated() {
        return terminated;
    }

    boolean isKilled() {
        return killed;
    }

    /** The number of attempts; shortening one in progress is none. */
    int attempts() {
        return attempts;
    }

    boolean isUnkillable() {
        return unkillable;
    }

    private static boolean isOver(Duration limit, Duration now) {
        return now.compareTo(limit) >= 0;
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }
}
