package io.github.workerregistry;

import java.time.Instant;
import java.time.InstantSource;

/**
 * Wall time at construction plus the time elapsed since: a jump of the wall clock, forwards or back, changes nothing.
 */
final class MonotonicClock implements InstantSource {

    private final Instant start = Instant.now();
    private final long startNanos = System.nanoTime();

    @Override
    public Instant instant() {
        return start.plusNanos(System.nanoTime() - startNanos);
    }
}
