package io.github.workerregistry.lifecycle;

import java.time.Duration;

/**
 * How a worker is stopped, in the model: open leases are waited for until the drain is over; then SIGTERM; then, a
 * grace later, SIGKILL, which is reported as vain after the kill wait. Times are times in which the host ran.
 */
final class ModelledStop {

    private static final Duration NEVER = Duration.ofDays(1_000);

    private boolean begun;
    private boolean terminated;
    private boolean killed;
    private boolean givenUp;
    private Duration drainUntil = NEVER;
    private Duration killAt = NEVER;
    private Duration giveUpAt = NEVER;

    private int attempts = 1;
    private boolean isLast;

    /** The supervisor's loops have ended: nothing would give up once more. */
    void isLast() {
        isLast = true;
    }

    /** Begins, or hurries what has begun; what was given up is killed again. */
    void begin(Duration now, Duration drain, Duration untilKill) {
        begun = true;
        if (givenUp && !isLast) {
            givenUp = false;
            giveUpAt = NEVER;
            attempts++;
        }
        drainUntil = min(drainUntil, now.plus(drain));
        killAt = min(killAt, now.plus(untilKill));
    }

    /** Takes every step that is due. */
    void look(Duration now, int openLeases) {
        if (begun && !isSignalled() && (openLeases == 0 || isOver(drainUntil, now))) {
            terminated = !isOver(killAt, now);
            killed = !terminated;
            killAt = min(killAt, now.plus(LifeRules.GRACE));
        }
        killed |= terminated && isOver(killAt, now);
        if (killed) {
            giveUpAt = min(giveUpAt, now.plus(LifeRules.KILL_WAIT));
        }
        givenUp |= isOver(giveUpAt, now);
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

    /** How often it has been begun, not counting what only hurried it. */
    int attempts() {
        return attempts;
    }

    boolean isGivenUp() {
        return givenUp;
    }

    private static boolean isOver(Duration limit, Duration now) {
        return now.compareTo(limit) >= 0;
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }
}
