package io.github.workerregistry;

import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;

/** How the requests that could not be served at once have ended, since the registry was created. Thread-safe. */
final class WaitTotals {

    private final LongAdder granted = new LongAdder();
    private final LongAdder timedOut = new LongAdder();
    private final LongAdder cancelled = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder nanos = new LongAdder();

    /** A wait has ended. */
    void ended(Waiter.State how, Duration waited) {
        switch (how) {
            case GRANTED -> granted.increment();
            case TIMED_OUT -> timedOut.increment();
            case CANCELLED -> cancelled.increment();
            case FAILED -> refused.increment();
            case WAITING -> throw new IllegalArgumentException("not ended");
        }
        nanos.add(waited.toNanos());
    }

    /** A request was refused before it waited. */
    void refused() {
        refused.increment();
    }

    RegistryStats.Builder addTo(RegistryStats.Builder stats) {
        return stats.granted(granted.sum())
                .timedOut(timedOut.sum())
                .cancelled(cancelled.sum())
                .refused(refused.sum())
                .timeWaited(Duration.ofNanos(nanos.sum()));
    }
}
