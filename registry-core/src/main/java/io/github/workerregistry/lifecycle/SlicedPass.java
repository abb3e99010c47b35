package io.github.workerregistry.lifecycle;

import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Visits all workers in slices of some milliseconds, so that the hive's own tasks run in between if hundreds of workers
 * are due at once. Thread-safe; two threads that run it at the same time may visit the same worker.
 */
final class SlicedPass<T> {

    /** Several loops may use up their slices in one task of the hive's scheduler. */
    static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private final LongSupplier nanoTime;
    private final AtomicReference<@Nullable Iterator<T>> left = new AtomicReference<>();

    SlicedPass() {
        this(System::nanoTime);
    }

    SlicedPass(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Continues the unfinished pass, or begins one. Visits at least one item, until the slice is over. */
    void run(Iterable<T> items, Consumer<T> visitor) {
        long begun = nanoTime.getAsLong();
        Iterator<T> unfinished = left.getAndSet(null);
        Iterator<T> next = unfinished == null ? items.iterator() : unfinished;
        while (next.hasNext()) {
            visitor.accept(next.next());
            if (next.hasNext() && nanoTime.getAsLong() - begun >= SLICE_NANOS) {
                left.set(next);
                return;
            }
        }
    }

    boolean isUnfinished() {
        return left.get() != null;
    }
}
