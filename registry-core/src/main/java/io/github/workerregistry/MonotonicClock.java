package io.github.workerregistry;

import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/** Wall time at construction plus elapsed time: a jump of the wall clock has no effect. */
final class MonotonicClock implements InstantSource {

    private final Instant start;
    private final LongSupplier nanoTime;
    private final long startNanos;

    MonotonicClock() {
        this(InstantSource.system(), System::nanoTime);
    }

    MonotonicClock(InstantSource wall, LongSupplier nanoTime) {
        this.start = wall.instant();
        this.nanoTime = nanoTime;
        this.startNanos = nanoTime.getAsLong();
    }

    @Override
    public Instant instant() {
        return start.plusNanos(nanoTime.getAsLong() - startNanos);
    }
}
