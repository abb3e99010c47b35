package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How far the stop of one worker has come: drain, ask, SIGTERM, SIGKILL, and, if even that does not help, giving up.
 *
 * <p>Pure bookkeeping: {@link #next} says what to do now, and the caller does it. Each step is given to one caller,
 * whoever comes first, so no worker is signalled twice for one step; only a kill is repeated, every second. A sequence
 * that runs can be hurried, never slowed.
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

    private final Duration killWait;

    private Phase phase = Phase.RUNNING;
    private Instant drainUntil = Instant.MAX;
    private Instant askUntil = Instant.MAX;
    private Instant killAt = Instant.MAX;
    private Instant killAgainAt = Instant.MAX;
    private Instant giveUpAt = Instant.MAX;
    private Duration grace = Duration.ZERO;
    private boolean refused;
    private boolean waited;
    private boolean drained;

    StopSequence(Duration killWait) {
        this.killWait = killWait;
    }

    /**
     * Begins, or hurries what has begun.
     *
     * @param drainUntil when open leases are waited for no longer
     * @param grace how long from being asked to the kill
     * @param killAt when it is killed at the latest
     */
    synchronized void begin(Instant drainUntil, Duration grace, Instant killAt) {
        if (phase == Phase.RUNNING) {
            phase = Phase.DRAINING;
            this.grace = grace;
        }
        this.drainUntil = earlier(this.drainUntil, drainUntil);
        this.askUntil = earlier(this.askUntil, killAt);
        this.killAt = earlier(this.killAt, killAt);
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
     * @return the phase just entered; null if it is not time yet
     */
    synchronized @Nullable Phase next(Instant now, int openLeases, boolean canAsk) {
        Phase next = due(now, openLeases, canAsk);
        if (next != null) {
            phase = next;
        }
        return next;
    }

    synchronized Phase phase() {
        return phase;
    }

    /** Whether the kill has begun. */
    boolean isKilling() {
        return phase().compareTo(Phase.KILLED) >= 0;
    }

    /** Whether there were open leases, and all of them came to their end in the time to drain. */
    synchronized boolean drained() {
        return drained;
    }

    private @Nullable Phase due(Instant now, int openLeases, boolean canAsk) {
        return switch (phase) {
            case RUNNING, UNKILLABLE -> null;
            case DRAINING -> drain(now, openLeases, canAsk);
            case ASKED -> refused || !now.isBefore(askUntil) ? Phase.TERMINATED : null;
            case TERMINATED -> now.isBefore(killAt) ? null : kill(now);
            case KILLED -> killAgainOrGiveUp(now);
        };
    }

    private @Nullable Phase drain(Instant now, int openLeases, boolean canAsk) {
        if (openLeases > 0 && now.isBefore(drainUntil)) {
            waited = true;
            return null;
        }
        drained = waited && openLeases == 0;
        if (!now.isBefore(killAt)) {
            return kill(now);
        }
        killAt = earlier(killAt, now.plus(grace));
        askUntil = now.plus(Duration.between(now, killAt).dividedBy(2));
        return canAsk ? Phase.ASKED : Phase.TERMINATED;
    }

    private @Nullable Phase killAgainOrGiveUp(Instant now) {
        if (!now.isBefore(giveUpAt)) {
            return Phase.UNKILLABLE;
        }
        return now.isBefore(killAgainAt) ? null : killAgain(now);
    }

    private Phase kill(Instant now) {
        giveUpAt = now.plus(killWait);
        return killAgain(now);
    }

    private Phase killAgain(Instant now) {
        killAgainAt = now.plus(BETWEEN_KILLS);
        return Phase.KILLED;
    }

    private static Instant earlier(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }
}
