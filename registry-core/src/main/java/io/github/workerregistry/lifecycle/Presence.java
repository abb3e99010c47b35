package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Durations.longer;
import static io.github.workerregistry.lifecycle.Durations.shorter;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/**
 * When the host was there to run us. The time in which it was suspended, swapped out or overloaded is none in which a
 * worker could show that it is well, or be given work, and counts for no deadline by which a worker is judged.
 *
 * <p>Only the last absences are known. So a host that is late all the time still comes to an end with its waits.
 * Written by whichever thread runs a round; read on any thread.
 */
final class Presence {

    private static final int REMEMBERED = 16;

    /** A round that has much to do is no absence: a step may take ten periods, at most this, but always one period. */
    private static final Duration LONGEST_STEP = Duration.ofSeconds(1);

    private record Absence(Instant from, Instant until) {
        /** How much of it lies between two moments. */
        Duration within(Instant start, Instant end) {
            Instant first = start.isAfter(from) ? start : from;
            Instant last = end.isBefore(until) ? end : until;
            return first.isBefore(last) ? Duration.between(first, last) : Duration.ZERO;
        }
    }

    /** When the runner is due next, and from when on it counts as away. */
    private record Expectation(Instant due, Instant latest) {
        boolean isMissed(Instant now) {
            return now.isAfter(latest);
        }
    }

    private final Duration period;
    private final Duration patience;
    private volatile Expectation next;
    private volatile List<Absence> absences = List.of();

    /**
     * Present since now.
     *
     * @param period the time between two rounds; one that is late by more than that shows an absence
     */
    Presence(Duration period, Instant now) {
        this.period = period;
        this.patience = longer(period, shorter(period.multipliedBy(10), LONGEST_STEP));
        this.next = nextRound(now);
    }

    private Expectation nextRound(Instant now) {
        return new Expectation(now.plus(period), now.plus(period.multipliedBy(2)));
    }

    /** A step of a round begins. Gives for how long the host has been away until now; mostly zero. */
    synchronized Duration working(Instant now) {
        Duration away = arrive(now);
        next = new Expectation(now, now.plus(patience));
        return away;
    }

    /** A round has ended. */
    synchronized void resting(Instant now) {
        arrive(now);
        next = nextRound(now);
    }

    private Duration arrive(Instant now) {
        if (!next.isMissed(now)) {
            return Duration.ZERO;
        }
        Absence absence = new Absence(next.due, now);
        Stream<Absence> all = Stream.concat(absences.stream(), Stream.of(absence));
        absences = all.skip(Math.max(0, absences.size() + 1 - REMEMBERED)).toList();
        return Duration.between(absence.from, now);
    }

    /**
     * Whether a round, or a step of one, is overdue now, or was a moment ago: what fails as the host wakes up may fail
     * for that reason, and whoever tells of it may have woken up after the runner.
     */
    boolean isAway(Instant now) {
        return next.isMissed(now) || absences.stream().anyMatch(absence -> now.isBefore(absence.until.plus(patience)));
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
            there = there.minus(absence.within(start, now));
        }
        boolean isKnown = ended.stream().anyMatch(absence -> absence.from.equals(current.due));
        return current.isMissed(now) && !isKnown
                ? there.minus(new Absence(current.due, now).within(start, now))
                : there;
    }
}
