package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Visits all workers in slices of some milliseconds, so that the hive's own tasks run in between if hundreds of workers
 * are due at once. In virtual time, which stands still during a visit, a pass is never cut. Thread-safe; two threads
 * that run it at the same time may visit the same worker.
 */
final class SlicedPass<T> {

    /** Several loops may use up their slices in one task of the hive's scheduler. */
    static final Duration SLICE = Duration.ofMillis(10);

    private final InstantSource clock;
    private final AtomicReference<@Nullable Iterator<T>> left = new AtomicReference<>();

    SlicedPass(InstantSource clock) {
        this.clock = clock;
    }

    /** Continues the unfinished pass, or begins one. Visits at least one item, until the slice is over. */
    void run(Iterable<T> items, Consumer<T> visitor) {
        Instant end = clock.instant().plus(SLICE);
        Iterator<T> unfinished = left.getAndSet(null);
        Iterator<T> next = unfinished == null ? items.iterator() : unfinished;
        while (next.hasNext()) {
            visitor.accept(next.next());
            if (next.hasNext() && !clock.instant().isBefore(end)) {
                left.set(next);
                return;
            }
        }
    }

    boolean isUnfinished() {
        return left.get() != null;
    }
}
