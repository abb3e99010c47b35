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

    /** A round that has much to do is no absence: each of its steps may take so many periods. */
    private static final int LONGEST_STEP = 10;

    /** When the runner is to be heard of next, and when it is away if it has not been. */
    private record Expectation(Instant due, Instant latest) {
        boolean isMissed(Instant now) {
            return now.isAfter(latest);
        }
    }

    private final Duration period;
    private volatile Expectation next;
    private volatile List<Absence> absences = List.of();

    /**
     * Present since now.
     *
     * @param period the time between two rounds; a round is late if it is so by more than that
     */
    Presence(Duration period, Instant now) {
        this.period = period;
        this.next = nextRound(now);
    }

    private Expectation nextRound(Instant now) {
        return new Expectation(now.plus(period), now.plus(period.multipliedBy(2)));
    }

    /** A round begins, or has taken a step. Gives for how long the host was away until now, mostly zero. */
    Duration working(Instant now) {
        return arrive(now, new Expectation(now, now.plus(period.multipliedBy(LONGEST_STEP))));
    }

    /** A round has ended. */
    void resting(Instant now) {
        arrive(now, nextRound(now));
    }

    private Duration arrive(Instant now, Expectation following) {
        Duration away = Duration.ZERO;
        if (isAway(now)) {
            Absence absence = new Absence(next.due, now);
            Stream<Absence> all = Stream.concat(absences.stream(), Stream.of(absence));
            absences = all.skip(Math.max(0, absences.size() + 1 - REMEMBERED)).toList();
            away = Duration.between(absence.from, now);
        }
        next = following;
        return away;
    }

    /** Whether a round, or a step of one, is overdue now. */
    boolean isAway(Instant now) {
        return next.isMissed(now);
    }

    /**
     * How much of the time from {@code start} to {@code now} the host was there. An absence counts as soon as it can be
     * seen: whoever asks may have woken up before the runner.
     */
    Duration since(Instant start, Instant now) {
        Expectation current = next; // read before those that have ended, so that none is missed
        List<Absence> ended = absences;
        Duration there = Duration.between(start, now);
        for (Absence absence : ended) {
            there = there.minus(absence.since(start));
        }
        boolean isKnown = ended.stream().anyMatch(absence -> absence.from.equals(current.due));
        return current.isMissed(now) && !isKnown ? there.minus(new Absence(current.due, now).since(start)) : there;
    }
}
