package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wraps a clock of the hive and never goes back. If the source is set back, this clock continues from its last reading
 * at the source's pace, so the time left to each deadline does not change. If the source is set forward, so is this
 * clock. If the source throws, the last reading is returned. Thread-safe, lock-free.
 */
final class SteadyClock implements InstantSource {

    private static final Logger log = LoggerFactory.getLogger(SteadyClock.class);

    /**
     * A source behind by no more than this was not set back: two threads may read it in one order and arrive here in
     * another.
     */
    private static final Duration TOLERANCE = Duration.ofSeconds(1);

    /** The latest reading of the source, and the offset of this clock. */
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
    private final AtomicBoolean failureLogged = new AtomicBoolean();

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
            } else { // this thread may have been descheduled since it read the source
                now = read();
                fresh = true;
            }
        }
    }

    /** Guards the source: its failure must not leave a transition half done. */
    private Instant read() {
        try {
            return requireNonNull(source.instant(), "the time of the hive's clock");
        } catch (Throwable t) { // foreign code
            Instant last = requireNonNull(latest.get()).source;
            if (last.equals(Instant.MIN)) {
                throw t; // no reading yet
            }
            if (failureLogged.compareAndSet(false, true)) {
                log.warn("the hive's clock failed; its last reading stands until it works again", LogText.of(t));
            }
            return last;
        }
    }
}
