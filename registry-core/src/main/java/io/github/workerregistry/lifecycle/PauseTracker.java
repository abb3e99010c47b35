package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Durations.longer;
import static io.github.workerregistry.internal.Durations.shorter;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/**
 * Tracks pauses (suspend, swap, overload) of this JVM. They are excluded from every deadline: during a pause a worker
 * can neither report that it is healthy nor be leased.
 *
 * <p>Only the last pauses are kept, so that waits end even if every tick is late. Written by the thread that runs a
 * tick; read on any thread.
 */
final class PauseTracker {

    private static final int CAPACITY = 16;

    /** A long tick is no pause: a step may take ten periods, up to this limit, but always one period. */
    private static final Duration LONGEST_STEP = Duration.ofSeconds(1);

    private record Pause(Instant from, Instant until) {
        /** Its overlap with the time between two instants. */
        Duration within(Instant start, Instant end) {
            Instant first = start.isAfter(from) ? start : from;
            Instant last = end.isBefore(until) ? end : until;
            return first.isBefore(last) ? Duration.between(first, last) : Duration.ZERO;
        }
    }

    /** When the next step or tick is due, and after which time its lateness counts as a pause. */
    private record Expectation(Instant due, Instant latest) {
        boolean isMissed(Instant now) {
            return now.isAfter(latest);
        }
    }

    private final Duration period;
    private final Duration tolerance;
    private volatile Expectation next;
    private volatile List<Pause> pauses = List.of();

    /**
     * A tracker without a pause.
     *
     * @param period the time between two ticks; a tick that is late by more than this shows a pause
     */
    PauseTracker(Duration period, Instant now) {
        this.period = period;
        this.tolerance = longer(period, shorter(period.multipliedBy(10), LONGEST_STEP));
        this.next = nextTick(now);
    }

    private Expectation nextTick(Instant now) {
        return new Expectation(now.plus(period), now.plus(period.multipliedBy(2)));
    }

    /** A step of a tick starts. Returns the length of the pause that ends now; usually zero. */
    synchronized Duration stepStarted(Instant now) {
        Duration pause = recordPause(now);
        next = new Expectation(now, now.plus(tolerance));
        return pause;
    }

    /** A tick has ended. */
    synchronized void tickEnded(Instant now) {
        recordPause(now);
        next = nextTick(now);
    }

    private Duration recordPause(Instant now) {
        if (!next.isMissed(now)) {
            return Duration.ZERO;
        }
        Pause pause = new Pause(next.due, now);
        Stream<Pause> all = Stream.concat(pauses.stream(), Stream.of(pause));
        pauses = all.skip(Math.max(0, pauses.size() + 1 - CAPACITY)).toList();
        return Duration.between(pause.from, now);
    }

    /**
     * Whether a tick, or a step of one, is overdue, or was until a moment ago: a failure right after a pause may be
     * caused by it, and may be reported by a thread that continues later than the tick.
     */
    boolean isPaused(Instant now) {
        return next.isMissed(now) || pauses.stream().anyMatch(pause -> now.isBefore(pause.until.plus(tolerance)));
    }

    /**
     * The time from {@code start} to {@code now} without pauses. A pause counts even before a tick has recorded it: the
     * calling thread may continue earlier than the tick.
     */
    Duration activeTime(Instant start, Instant now) {
        Expectation current = next; // read before the recorded pauses, so that none is missed
        List<Pause> recorded = pauses;
        Duration active = Duration.between(start, now);
        for (Pause pause : recorded) {
            active = active.minus(pause.within(start, now));
        }
        boolean isRecorded = recorded.stream().anyMatch(pause -> pause.from.equals(current.due));
        return current.isMissed(now) && !isRecorded
                ? active.minus(new Pause(current.due, now).within(start, now))
                : active;
    }
}
