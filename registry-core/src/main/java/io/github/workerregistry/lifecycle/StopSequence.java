package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Durations.shorter;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How far the stop of one worker has come: drain, ask, SIGTERM, SIGKILL, and, if even that does not help, giving up.
 *
 * <p>Pure bookkeeping: {@link #next} says what to do now, and the caller does it. Each step is given to one caller,
 * whoever comes first, so no worker is signalled twice for one step; only a kill is repeated, every second. A sequence
 * that runs can be hurried, never slowed. One that found the process unkillable can be begun again: it kills again.
 * Time in which the host was away counts for none of its steps: whoever is to give back a lease may have been away,
 * too.
 */
final class StopSequence {

    /** The phases, in order. */
    enum Phase {
        RUNNING,
        DRAINING,
        ASKED,
        TERMINATED,
        KILLED,
        UNKILLABLE
    }

    /** A kill can fail for want of a file descriptor, and be repeated. */
    private static final Duration BETWEEN_KILLS = Duration.ofSeconds(1);

    private static final Duration NEVER = Duration.ofSeconds(Long.MAX_VALUE);

    private final Duration killWait;
    private final Presence presence;

    private Phase phase = Phase.RUNNING;
    private Instant begun = Instant.MIN;
    private Duration grace = Duration.ZERO;
    private boolean refused;
    private boolean waited;
    private boolean drained;

    // since it began, in time in which the host was there
    private Duration drainUntil = NEVER;
    private Duration askUntil = NEVER;
    private Duration killAt = NEVER;
    private Duration killAgainAt = NEVER;
    private Duration giveUpAt = NEVER;

    StopSequence(Duration killWait, Presence presence) {
        this.killWait = killWait;
        this.presence = presence;
    }

    /**
     * Begins, or hurries what has begun.
     *
     * @param drain how long open leases are waited for
     * @param grace how long from being asked to the kill
     * @param untilKill after how long it is killed at the latest
     */
    synchronized void begin(Instant now, Duration drain, Duration grace, Duration untilKill) {
        if (phase == Phase.RUNNING) {
            phase = Phase.DRAINING;
            this.begun = now;
            this.grace = grace;
        } else if (phase == Phase.UNKILLABLE) {
            phase = Phase.TERMINATED; // and the kill is due
        }
        Duration passed = passed(now);
        drainUntil = shorter(drainUntil, passed.plus(drain));
        killAt = shorter(killAt, passed.plus(untilKill));
        askUntil = shorter(askUntil, killAt);
    }

    /** The worker will not end by being asked. */
    synchronized void refuse() {
        refused = true;
    }

    /**
     * Enters the next phase if its time has come.
     *
     * @param openLeases how many slots are still leased
     * @param canAsk whether there is a way to ask before signalling
     * @param survives whether the process is seen to run though it was killed; until it is, it is not given up
     * @return the phase just entered; null if it is not time yet
     */
    synchronized @Nullable Phase next(Instant now, int openLeases, boolean canAsk, boolean survives) {
        Phase next = phase == Phase.RUNNING ? null : due(passed(now), openLeases, canAsk, survives);
        if (next != null) {
            phase = next;
        }
        return next;
    }

    synchronized Phase phase() {
        return phase;
    }

    /** Whether a next step will come. */
    boolean isUnderWay() {
        Phase now = phase();
        return now != Phase.RUNNING && now != Phase.UNKILLABLE;
    }

    /** Whether the kill has begun. */
    boolean isKilling() {
        return phase().compareTo(Phase.KILLED) >= 0;
    }

    /** Whether there were open leases, and all of them came to their end in the time to drain. */
    synchronized boolean drained() {
        return drained;
    }

    private Duration passed(Instant now) {
        return presence.since(begun, now);
    }

    private @Nullable Phase due(Duration passed, int openLeases, boolean canAsk, boolean survives) {
        return switch (phase) {
            case RUNNING, UNKILLABLE -> null;
            case DRAINING -> drain(passed, openLeases, canAsk);
            case ASKED -> refused || isOver(askUntil, passed) ? Phase.TERMINATED : null;
            case TERMINATED -> isOver(killAt, passed) ? kill(passed) : null;
            case KILLED -> killAgainOrGiveUp(passed, survives);
        };
    }

    private @Nullable Phase drain(Duration passed, int openLeases, boolean canAsk) {
        if (openLeases > 0 && !isOver(drainUntil, passed)) {
            waited = true;
            return null;
        }
        drained = waited && openLeases == 0;
        if (isOver(killAt, passed)) {
            return kill(passed);
        }
        killAt = shorter(killAt, passed.plus(grace));
        askUntil = passed.plus(killAt.minus(passed).dividedBy(2));
        return canAsk && !refused ? Phase.ASKED : Phase.TERMINATED;
    }

    private @Nullable Phase killAgainOrGiveUp(Duration passed, boolean survives) {
        if (!survives) {
            giveUpAt = passed.plus(killWait);
        } else if (isOver(giveUpAt, passed)) {
            return Phase.UNKILLABLE;
        }
        return isOver(killAgainAt, passed) ? killAgain(passed) : null;
    }

    private Phase kill(Duration passed) {
        giveUpAt = passed.plus(killWait);
        return killAgain(passed);
    }

    private Phase killAgain(Duration passed) {
        killAgainAt = passed.plus(BETWEEN_KILLS);
        return Phase.KILLED;
    }

    private static boolean isOver(Duration limit, Duration passed) {
        return passed.compareTo(limit) >= 0;
    }
}
