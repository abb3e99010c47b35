package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;

/**
 * The last time that the host was away, and could neither work nor look: it was suspended, swapped out, or overloaded.
 * That time counts for nobody's deadline.
 *
 * <p>Only the last one is known. So a host that is late all the time still comes to an end with its waits.
 */
final class Absence {

    private Instant from = Instant.MIN;
    private Instant until = Instant.MIN;

    /** The host is back. */
    void ended(Instant now, Duration length) {
        from = now.minus(length);
        until = now;
    }

    /** How much of the time from {@code start} to {@code now} the host was there. */
    Duration presentSince(Instant start, Instant now) {
        Instant awayFrom = start.isAfter(from) ? start : from;
        Duration away = awayFrom.isBefore(until) ? Duration.between(awayFrom, until) : Duration.ZERO;
        return Duration.between(start, now).minus(away);
    }
}
