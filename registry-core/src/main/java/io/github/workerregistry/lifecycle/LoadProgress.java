package io.github.workerregistry.lifecycle;

import java.time.Instant;

/** What one generation of a worker shows of its load: output that grows, and what was reported of it. Thread-safe. */
final class LoadProgress {

    private volatile Instant last = Instant.MIN;
    private volatile boolean reported;
    private long bytes; // owned by OutputLoop

    /** The output has been read. */
    void outputRead(long total, Instant now) {
        if (total > bytes) {
            bytes = total;
            last = now;
        }
    }

    /** The hive says that the load makes progress. */
    void report(Instant now) {
        reported = true;
        last = now;
    }

    /** Whether progress was ever reported. */
    boolean isReported() {
        return reported;
    }

    /** When progress was last seen; the distant past if never. */
    Instant last() {
        return last;
    }
}
