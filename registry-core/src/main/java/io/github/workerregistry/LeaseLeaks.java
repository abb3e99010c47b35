package io.github.workerregistry;

import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports leases that may never be closed, with the stack of their acquisition (as HikariCP's
 * {@code leakDetectionThreshold}). Costs a clock reading and a stack trace per lease, so it is off by default.
 */
final class LeaseLeaks {

    private static final Logger log = LoggerFactory.getLogger(LeaseLeaks.class);

    private final Duration threshold;
    private final InstantSource clock;
    private final ConcurrentMap<SlotLease, Acquisition> open = new ConcurrentHashMap<>();

    LeaseLeaks(Duration threshold, InstantSource clock) {
        this.threshold = threshold;
        this.clock = clock;
    }

    /** Where and when a lease was acquired. */
    private static final class Acquisition {
        final Instant at;
        final Throwable stack;
        volatile boolean reported;

        Acquisition(Instant at, Throwable stack) {
            this.at = at;
            this.stack = stack;
        }
    }

    /** The stack of this call, for {@link #acquired(SlotLease, Throwable)}. */
    static Throwable stack() {
        return new Throwable(
                "acquired here, by thread " + LogText.of(Thread.currentThread().getName()));
    }

    void acquired(SlotLease lease, Throwable stack) {
        open.put(lease, new Acquisition(clock.instant(), stack));
    }

    void closed(SlotLease lease) {
        forget(lease, "was closed");
    }

    private void forget(SlotLease lease, String why) {
        Acquisition acquisition = open.remove(lease);
        if (acquisition != null && acquisition.reported) {
            log.info("a lease of worker {} that was open for more than {} {}", lease.workerId(), threshold, why);
        }
    }

    /** Reports each lease open for longer than the threshold, once; drops void leases. */
    void report() {
        Instant now = clock.instant();
        open.forEach((lease, acquisition) -> {
            if (!lease.isValid()) {
                forget(lease, "has become void: its worker was restarted or removed");
            } else if (!acquisition.reported
                    && Duration.between(acquisition.at, now).compareTo(threshold) >= 0) {
                acquisition.reported = true;
                String which = lease.toString(); // rendered now, even if the logger is asynchronous
                log.warn("{} has been open for more than {}", which, threshold, acquisition.stack);
            }
        });
    }
}
