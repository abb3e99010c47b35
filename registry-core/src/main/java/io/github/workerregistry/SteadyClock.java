package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A clock of the hive's that never goes back. When the source is set back, this one goes on from its last reading at
 * the source's pace, so every deadline stays as far away as it was. When the source is set forward, so is this one.
 * When the source throws, the last reading stands. Thread-safe, lock-free.
 */
final class SteadyClock implements InstantSource {

    private static final Logger log = LoggerFactory.getLogger(SteadyClock.class);

    /**
     * A source that is behind by so little is waited for. Two threads may read it in one order and get here in another.
     */
    private static final Duration TOLERANCE = Duration.ofSeconds(1);

    /** The latest reading of the source, and by how much this clock is ahead of it. */
    private record Reading(Instant source, Duration ahead) {
        Instant time() {
            return source.plus(ahead);
        }

        boolean isWellAfter(Instant other) {
            return Duration.between(other, source).compareTo(TOLERANCE) > 0;
        }

        Reading setBackTo(Instant now) {
            return new Reading(now, ahead.plus(Duration.between(now, source)));
        }
    }

    private final InstantSource source;
    private final AtomicReference<Reading> latest;
    private final AtomicBoolean failureTold = new AtomicBoolean();

    SteadyClock(InstantSource source) {
        this.source = source;
        this.latest = new AtomicReference<>(new Reading(Instant.MIN, Duration.ZERO));
    }

    @Override
    public Instant instant() {
        Instant now = read();
        boolean fresh = false;
        while (true) {
            Reading seen = requireNonNull(latest.get());
            if (now.isAfter(seen.source)) {
                latest.compareAndSet(seen, new Reading(now, seen.ahead));
            } else if (!seen.isWellAfter(now)) {
                return seen.time();
            } else if (fresh) {
                latest.compareAndSet(seen, seen.setBackTo(now));
            } else { // this thread may have been held up since it read the source
                now = read();
                fresh = true;
            }
        }
    }

    /** The one guard around the source: a step of a worker's life must not be left half done for want of a time. */
    private Instant read() {
        try {
            return requireNonNull(source.instant(), "the time of the hive's clock");
        } catch (Throwable t) { // foreign code
            Instant last = requireNonNull(latest.get()).source;
            if (last.equals(Instant.MIN)) {
                throw t; // it has never worked
            }
            if (failureTold.compareAndSet(false, true)) {
                log.warn("the hive's clock failed; its last reading stands until it works again", LogText.of(t));
            }
            return last;
        }
    }
}
