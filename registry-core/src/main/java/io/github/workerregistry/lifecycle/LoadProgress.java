package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;

/**
 * The progress of one generation's load: output that grows, and progress reports.
 *
 * <p>Many servers log each request, so output during a readiness probe may be an echo of that probe. Output is progress
 * only if at the previous read no probe was open and none had ended within {@link #ECHO}, and none has opened since.
 * (Probes open only between two reads, on the thread that reads.)
 */
final class LoadProgress {

    /** How long after its end a probe may still cause output. */
    static final Duration ECHO = Duration.ofMillis(100);

    private volatile Instant last = Instant.MIN;
    private volatile Instant lastOutput = Instant.MIN;
    private volatile boolean reported;

    private volatile boolean probeOpen;
    private volatile Instant probeClosed = Instant.MIN;

    // accessed only by the loops, which run one after another
    private long bytes;
    private boolean quiet = true;

    /** Records how much output there is. Called by {@link OutputLoop}. */
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

    /**
     * Records that a readiness probe opens. Called by {@link ProbeLoop}, whose tick follows that of {@link OutputLoop}.
     */
    void probeOpened() {
        quiet = false;
        probeOpen = true;
    }

    /** Records that the open probe has ended. Called on any thread. */
    void probeClosed(Instant now) {
        probeClosed = now;
        probeOpen = false;
    }

    /** Records progress that the hive reports. Called on any thread. */
    void report(Instant now) {
        reported = true;
        last = now;
    }

    /** Whether progress was ever reported. */
    boolean isReported() {
        return reported;
    }

    /** The time of the last progress; {@link Instant#MIN} if there was none. */
    Instant last() {
        return last;
    }

    /** When output last grew, by progress or by an echo; {@link Instant#MIN} if it never did. */
    Instant lastOutput() {
        return lastOutput;
    }
}
