package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Bounds the time that one loop takes of the hive's scheduler in one tick, if hundreds of workers are due at once. The
 * next tick goes on with the rest. Not thread-safe; one for each tick.
 */
final class TickBudget {

    /** Number of workers that are always handled, however long that takes. */
    private static final int MIN_WORKERS = 16;

    private final LongSupplier nanoTime;
    private final long endNanos;
    private int handled;

    /** Begins now. */
    TickBudget(Duration limit) {
        this(limit, System::nanoTime);
    }

    TickBudget(Duration limit, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.endNanos = nanoTime.getAsLong() + limit.toNanos();
    }

    /** A worker was handled. */
    void handled() {
        handled++;
    }

    /** Whether the next tick has to go on. */
    boolean isSpent() {
        return handled >= MIN_WORKERS && nanoTime.getAsLong() - endNanos >= 0;
    }
}
