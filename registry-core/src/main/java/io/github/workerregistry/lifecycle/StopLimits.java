package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Durations.shorter;

import java.time.Duration;
import java.util.Optional;

/**
 * The limits of one stop, counted from its beginning.
 *
 * @param drain the longest wait for open leases
 * @param untilKill the time to the kill at the latest
 */
record StopLimits(Duration drain, Duration untilKill) {

    /** Kills at once. */
    static final StopLimits AT_ONCE = new StopLimits(Duration.ZERO, Duration.ZERO);

    /** Waits for open leases without limit. */
    static final StopLimits NONE = new StopLimits(StopSequence.NEVER, StopSequence.NEVER);

    /** A graceful stop with the configured drain time. */
    static StopLimits graceful(LifecycleConfig config) {
        return graceful(config, Optional.of(config.drainTimeout()));
    }

    /** A graceful stop with a drain time; empty: no limit. */
    static StopLimits graceful(LifecycleConfig config, Optional<Duration> drain) {
        return new StopLimits(
                drain.orElse(StopSequence.NEVER),
                drain.map(limit -> limit.plus(config.stopGrace())).orElse(StopSequence.NEVER));
    }

    /** A graceful stop with a kill after {@code deadline}; the drain time leaves room for the grace period. */
    static StopLimits within(LifecycleConfig config, Duration deadline) {
        Duration grace = shorter(config.stopGrace(), deadline.dividedBy(2));
        return new StopLimits(shorter(config.drainTimeout(), deadline.minus(grace)), deadline);
    }
}
