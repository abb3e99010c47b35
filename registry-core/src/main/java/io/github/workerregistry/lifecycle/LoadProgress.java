package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;

/**
 * What one generation of a worker shows of its load: output that grows, and what was reported of it.
 *
 * <p>Many servers log each request, so output that comes with a readiness probe may be an echo of that probe. It is
 * progress only if no probe was open and none had ended within {@link #ECHO} at the read before, and none has opened
 * since: probes open only between two reads, on the thread that reads.
 */
final class LoadProgress {

    /** For how long after its end a probe may still show in the output. */
    static final Duration ECHO = Duration.ofMillis(100);

    private volatile Instant last = Instant.MIN;
    private volatile Instant lastOutput = Instant.MIN;
    private volatile boolean reported;

    private volatile boolean probeOpen;
    private volatile Instant probeClosed = Instant.MIN;

    // owned by the loops, which run one after another
    private long bytes;
    private boolean quiet = true;

    /** The output has been read. Called by {@link OutputLoop}. */
    void outputRead(long total, Instant now) {
        if (total > bytes) {
            bytes = total;
            lastOutput = now;
            if (quiet) {
                last = now;
            }
        }
        quiet = !probeOpen && !now.isBefore(probeClosed.plus(ECHO));
    }

    /** A readiness probe opens. Called by {@link ProbeLoop}, whose tick follows that of {@link OutputLoop}. */
    void probeOpened() {
        quiet = false;
        probeOpen = true;
    }

    /** The open probe has ended. Called on any thread. */
    void probeClosed(Instant now) {
        probeClosed = now;
        probeOpen = false;
    }

    /** The hive says that the load makes progress. Called on any thread. */
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

    /** When output last grew, be it progress or an echo; the distant past if never. */
    Instant lastOutput() {
        return lastOutput;
    }
}
