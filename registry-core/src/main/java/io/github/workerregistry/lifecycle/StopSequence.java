package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Durations.shorter;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The state of one worker's stop: drain, stop request, SIGTERM, SIGKILL, and finally unkillable.
 *
 * <p>Bookkeeping only: {@link #next} returns the next phase, and the caller acts on it. Each phase is returned once, so
 * no worker is signalled twice for one phase; only the kill is repeated, every second. The deadlines of a running
 * sequence can move earlier, never later. After the process was found unkillable, the sequence can begin again with a
 * kill. Pauses do not count: the holder of a lease may have been paused, too.
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

    /** A kill can fail, for example without a free file descriptor; therefore it is repeated. */
    private static final Duration BETWEEN_KILLS = Duration.ofSeconds(1);

    /** No limit; small enough to be added to. */
    static final Duration NEVER = Duration.ofDays(365_000);

    private final Duration killTimeout;
    private final PauseTracker pauses;

    private Phase phase = Phase.RUNNING;
    private Instant begun = Instant.MIN;
    private Duration grace = Duration.ZERO;
    private boolean refused;
    private boolean waited;
    private boolean drained;

    // active time since the beginning, see PauseTracker
    private Duration drainUntil = NEVER;
    private Duration askUntil = NEVER;
    private Duration killAt = NEVER;
    private Duration killAgainAt = NEVER;
    private Duration unkillableAt = NEVER;

    StopSequence(Duration killTimeout, PauseTracker pauses) {
        this.killTimeout = killTimeout;
        this.pauses = pauses;
    }

    /**
     * Begins the sequence, or moves the deadlines of a running one earlier.
     *
     * @param drain the longest wait for open leases
     * @param grace the time from the stop request or SIGTERM to the kill
     * @param untilKill the time to the kill at the latest
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

    /** The stop request failed, or is not to be sent: SIGTERM follows without delay. */
    synchronized void refuse() {
        refused = true;
    }

    /**
     * Enters the next phase if it is due.
     *
     * @param openLeases number of leased slots
     * @param canAsk whether a stop request can be sent
     * @param survives whether the process is known to run although it was killed; only then can it become unkillable
     * @return the phase just entered; null if none is due
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

    /** Whether another phase will follow. */
    boolean isUnderWay() {
        Phase now = phase();
        return now != Phase.RUNNING && now != Phase.UNKILLABLE;
    }

    /** Whether the kill has begun. */
    boolean isKilling() {
        return phase().compareTo(Phase.KILLED) >= 0;
    }

    /** Whether there were open leases, and all of them ended within the drain time. */
    synchronized boolean drained() {
        return drained;
    }

    private Duration passed(Instant now) {
        return pauses.activeTime(begun, now);
    }

    private @Nullable Phase due(Duration passed, int openLeases, boolean canAsk, boolean survives) {
        return switch (phase) {
            case RUNNING, UNKILLABLE -> null;
            case DRAINING -> drain(passed, openLeases, canAsk);
            case ASKED -> refused || isOver(askUntil, passed) ? Phase.TERMINATED : null;
            case TERMINATED -> isOver(killAt, passed) ? kill(passed) : null;
            case KILLED -> killAgainOrReport(passed, survives);
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

    private @Nullable Phase killAgainOrReport(Duration passed, boolean survives) {
        if (!survives) {
            unkillableAt = passed.plus(killTimeout);
        } else if (isOver(unkillableAt, passed)) {
            return Phase.UNKILLABLE;
        }
        return isOver(killAgainAt, passed) ? killAgain(passed) : null;
    }

    private Phase kill(Duration passed) {
        unkillableAt = passed.plus(killTimeout);
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
