package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/**
 * When the host was there to run us. The time in which it was suspended, swapped out or overloaded is none in which a
 * worker could show that it is well, or be given work, and counts for no deadline by which a worker is judged.
 *
 * <p>Only the last absences are known. So a host that is late all the time still comes to an end with its waits.
 * Written by the one runner; read on any thread.
 */
final class Presence {

    private static final int REMEMBERED = 16;

    private record Absence(Instant from, Instant until) {
        Duration since(Instant start) {
            Instant first = start.isAfter(from) ? start : from;
            return first.isBefore(until) ? Duration.between(first, until) : Duration.ZERO;
        }
    }

    private final Duration period;
    private volatile Instant expected;
    private volatile List<Absence> absences = List.of();

    /**
     * Present since now.
     *
     * @param period the time between two rounds; a round is late if it is so by more than that
     */
    Presence(Duration period, Instant now) {
        this.period = period;
        this.expected = now.plus(period);
    }

    /** A round begins: the host is here, and if the round is late it was not. Gives by how much it is late. */
    Duration arrive(Instant now) {
        Duration lateness = Duration.between(expected, now);
        if (isAway(now)) {
            Stream<Absence> all = Stream.concat(absences.stream(), Stream.of(new Absence(expected, now)));
            absences = all.skip(Math.max(0, absences.size() + 1 - REMEMBERED)).toList();
        }
        return lateness;
    }

    /** A round has ended. */
    void leave(Instant now) {
        expected = now.plus(period);
    }

    /** Whether a round is overdue now. */
    boolean isAway(Instant now) {
        return isAway(new Absence(expected, now));
    }

    private boolean isAway(Absence overdue) {
        return Duration.between(overdue.from, overdue.until).compareTo(period) > 0;
    }

    /**
     * How much of the time from {@code start} to {@code now} the host was there. An absence counts as soon as it can be
     * seen: whoever asks may have woken up before our next round.
     */
    Duration since(Instant start, Instant now) {
        Absence current = new Absence(expected, now); // read before those that have ended, so that none is missed
        List<Absence> ended = absences;
        Duration there = Duration.between(start, now);
        for (Absence absence : ended) {
            there = there.minus(absence.since(start));
        }
        boolean isKnown = ended.stream().anyMatch(absence -> absence.from.equals(current.from));
        return isAway(current) && !isKnown ? there.minus(current.since(start)) : there;
    }
}
