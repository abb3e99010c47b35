package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Checks.requireAtLeast;
import static io.github.workerregistry.internal.Durations.requireInRange;
import static io.github.workerregistry.internal.Durations.shorter;
import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The intervals, timeouts and limits of a {@link WorkerSupervisor}, or of one worker ({@link WorkerSpec#lifecycle()}).
 * Immutable; two configurations with equal values are equal. Every {@link Duration} is greater than zero and at most
 * 36,500 days.
 *
 * <h2 id="stalls">Stalled loads</h2>
 *
 * <p>Progress of a load is new output, a heartbeat, or {@link WorkerSupervisor#reportProgress}. Raise
 * {@code loadStallTimeout} for a model that loads longer than that without output.
 *
 * <p>Output does not count as progress if a readiness probe was open when it was written, or within the 100 ms before:
 * it may be the server's log of that probe. If a load had no progress for {@code loadStallTimeout} but wrote output
 * during probes, probing pauses until it makes progress, and it is stopped after another {@code loadStallTimeout}
 * without output. So no load is stopped for a stall within {@code loadStallTimeout} of any output.
 *
 * <p>A worker whose output is not recorded is stopped for a stall only if the same generation has sent a heartbeat or a
 * progress report before.
 *
 * @since 0.1
 */
public final class LifecycleConfig {

    private final Values values;

    /** All values, checked. */
    private record Values(
            Duration healthInterval,
            Duration healthTimeout,
            int failureThreshold,
            int requestFailureThreshold,
            Duration readyInterval,
            Duration loadStallTimeout,
            Optional<Duration> loadTimeout,
            Duration heartbeatInterval,
            int heartbeatMisses,
            Optional<Duration> busyTimeout,
            Duration suspicionTimeout,
            Optional<Duration> idleTimeout,
            Duration idleCheckInterval,
            Duration drainTimeout,
            Duration stopGrace,
            Duration killTimeout,
            Duration tickInterval) {

        Values {
            requireInRange(healthInterval, "healthInterval");
            requireInRange(healthTimeout, "healthTimeout");
            if (healthTimeout.compareTo(healthInterval) > 0) {
                throw new IllegalArgumentException(
                        "healthTimeout must be <= healthInterval, was " + healthTimeout + " > " + healthInterval);
            }
            requireAtLeast(1, failureThreshold, "failureThreshold");
            requireAtLeast(1, requestFailureThreshold, "requestFailureThreshold");
            requireInRange(readyInterval, "readyInterval");
            requireInRange(loadStallTimeout, "loadStallTimeout");
            loadTimeout.ifPresent(timeout -> requireInRange(timeout, "loadTimeout"));
            requireInRange(heartbeatInterval, "heartbeatInterval");
            requireAtLeast(1, heartbeatMisses, "heartbeatMisses");
            busyTimeout.ifPresent(timeout -> requireInRange(timeout, "busyTimeout"));
            requireInRange(suspicionTimeout, "suspicionTimeout");
            idleTimeout.ifPresent(timeout -> requireInRange(timeout, "idleTimeout"));
            requireInRange(idleCheckInterval, "idleCheckInterval");
            requireInRange(drainTimeout, "drainTimeout");
            requireInRange(stopGrace, "stopGrace");
            requireInRange(killTimeout, "killTimeout");
            requireInRange(tickInterval, "tickInterval");
        }
    }

    private LifecycleConfig(Values values) {
        this.values = values;
    }

    /**
     * The defaults.
     *
     * @return a configuration with every default
     */
    public static LifecycleConfig defaults() {
        return builder().build();
    }

    /**
     * A builder with every default set.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder that begins with the values of this configuration. {@code healthTimeout} and {@code idleCheckInterval}
     * are derived again if they equal their derived default, even if they were set.
     *
     * @return a new builder
     */
    public Builder toBuilder() {
        return new Builder(values);
    }

    /**
     * The time between two health checks of a worker, randomised by &plusmn;10 %.
     *
     * @return default 30 s
     */
    public Duration healthInterval() {
        return values.healthInterval;
    }

    /**
     * How long an answer to a health check may take, at most {@code healthInterval}; also the longest time for which no
     * slot of a worker is leased after a lease of it has {@linkplain io.github.workerregistry.SlotLease#fail failed}.
     *
     * @return default 5 s, or {@code healthInterval} if that is shorter
     */
    public Duration healthTimeout() {
        return values.healthTimeout;
    }

    /**
     * The number of consecutive failed checks after which an idle worker is stopped, &ge; 1.
     *
     * @return default 3
     */
    public int failureThreshold() {
        return values.failureThreshold;
    }

    /**
     * Number of checks in a row, each after a {@linkplain io.github.workerregistry.SlotLease#fail failed} lease, that
     * find a worker alive before it is drained and stopped with
     * {@link io.github.workerregistry.StopReason#REQUESTS_FAILED}: its requests fail though its health check passes. A
     * lease that is closed normally resets the count; leases that fail before one check count as one.
     *
     * @return &ge; 1, default 3
     */
    public int requestFailureThreshold() {
        return values.requestFailureThreshold;
    }

    /**
     * The time to the first readiness probe of a loading worker, and the first interval from the end of a probe to the
     * next. The interval doubles with each probe, up to four times its start, and is at least 200 ms.
     *
     * @return default 250 ms
     */
    public Duration readyInterval() {
        return values.readyInterval;
    }

    /**
     * How long a load may make no progress: see <a href="#stalls">stalled loads</a>.
     *
     * @return default 2 min
     */
    public Duration loadStallTimeout() {
        return values.loadStallTimeout;
    }

    /**
     * The limit for one load, regardless of progress. It starts again with each generation.
     *
     * @return the limit; empty: none; default none
     */
    public Optional<Duration> loadTimeout() {
        return values.loadTimeout;
    }

    /**
     * How often a worker that sends heartbeats is expected to send one.
     *
     * @return default 5 s
     */
    public Duration heartbeatInterval() {
        return values.heartbeatInterval;
    }

    /**
     * The number of consecutive missed heartbeats after which a worker is stopped, &ge; 1.
     *
     * @return default 3
     */
    public int heartbeatMisses() {
        return values.heartbeatMisses;
    }

    /**
     * How long a busy worker may neither start nor finish work before it counts as hung.
     *
     * @return the limit; empty: none; default none
     */
    public Optional<Duration> busyTimeout() {
        return values.busyTimeout;
    }

    /**
     * How long the mass-failure guard keeps workers whose checks fail together with those of many others.
     *
     * @return default 60 s
     */
    public Duration suspicionTimeout() {
        return values.suspicionTimeout;
    }

    /**
     * How long a worker may be idle before it is stopped.
     *
     * @return the limit; empty: none; default 5 min
     */
    public Optional<Duration> idleTimeout() {
        return values.idleTimeout;
    }

    /**
     * The time between two searches for idle workers. The shortest of all workers applies.
     *
     * @return default 60 s, or a fifth of {@code idleTimeout} if that is shorter
     */
    public Duration idleCheckInterval() {
        return values.idleCheckInterval;
    }

    /**
     * How long a stop waits for open leases.
     *
     * @return default 30 s
     */
    public Duration drainTimeout() {
        return values.drainTimeout;
    }

    /**
     * The grace period: how long a worker may take to exit after the stop request or SIGTERM before it is killed.
     *
     * @return default 10 s
     */
    public Duration stopGrace() {
        return values.stopGrace;
    }

    /**
     * How long after SIGKILL a process may still run before it is reported as unkillable.
     *
     * @return default 5 s
     */
    public Duration killTimeout() {
        return values.killTimeout;
    }

    /**
     * The time between two ticks of the supervisor: the resolution of all times here.
     *
     * @return default 100 ms
     */
    public Duration tickInterval() {
        return values.tickInterval;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof LifecycleConfig config && values.equals(config.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** All values, for logs. */
    @Override
    public String toString() {
        return values.toString().replaceFirst("^Values", "LifecycleConfig");
    }

    /**
     * Builds a configuration. Setters may be called in any order; {@link #build()} checks the values. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private Duration healthInterval = Duration.ofSeconds(30);
        private @Nullable Duration healthTimeout;
        private int failureThreshold = 3;
        private int requestFailureThreshold = 3;
        private Duration readyInterval = Duration.ofMillis(250);
        private Duration loadStallTimeout = Duration.ofMinutes(2);
        private Optional<Duration> loadTimeout = Optional.empty();
        private Duration heartbeatInterval = Duration.ofSeconds(5);
        private int heartbeatMisses = 3;
        private Optional<Duration> busyTimeout = Optional.empty();
        private Duration suspicionTimeout = Duration.ofSeconds(60);
        private Optional<Duration> idleTimeout = Optional.of(Duration.ofMinutes(5));
        private @Nullable Duration idleCheckInterval;
        private Duration drainTimeout = Duration.ofSeconds(30);
        private Duration stopGrace = Duration.ofSeconds(10);
        private Duration killTimeout = Duration.ofSeconds(5);
        private Duration tickInterval = Duration.ofMillis(100);

        private Builder() {}

        private Builder(Values values) {
            healthInterval = values.healthInterval;
            failureThreshold = values.failureThreshold;
            requestFailureThreshold = values.requestFailureThreshold;
            readyInterval = values.readyInterval;
            loadStallTimeout = values.loadStallTimeout;
            loadTimeout = values.loadTimeout;
            heartbeatInterval = values.heartbeatInterval;
            heartbeatMisses = values.heartbeatMisses;
            busyTimeout = values.busyTimeout;
            suspicionTimeout = values.suspicionTimeout;
            idleTimeout = values.idleTimeout;
            drainTimeout = values.drainTimeout;
            stopGrace = values.stopGrace;
            killTimeout = values.killTimeout;
            tickInterval = values.tickInterval;
            // a derived default is derived again
            healthTimeout = values.healthTimeout.equals(defaultHealthTimeout()) ? null : values.healthTimeout;
            idleCheckInterval =
                    values.idleCheckInterval.equals(defaultIdleCheckInterval()) ? null : values.idleCheckInterval;
        }

        /**
         * Sets the time between two health checks of a worker, randomised by &plusmn;10 %.
         *
         * @param healthInterval default 30 s
         * @return this builder
         */
        public Builder healthInterval(Duration healthInterval) {
            this.healthInterval = requireNonNull(healthInterval, "healthInterval");
            return this;
        }

        /**
         * Sets how long an answer to a health check may take, at most {@code healthInterval}; also the longest time for
         * which no slot of a worker is leased after a lease of it has
         * {@linkplain io.github.workerregistry.SlotLease#fail failed}.
         *
         * @param healthTimeout default 5 s, or {@code healthInterval} if that is shorter
         * @return this builder
         */
        public Builder healthTimeout(Duration healthTimeout) {
            this.healthTimeout = requireNonNull(healthTimeout, "healthTimeout");
            return this;
        }

        /**
         * Sets the number of consecutive failed checks after which an idle worker is stopped, &ge; 1.
         *
         * @param failureThreshold default 3
         * @return this builder
         */
        public Builder failureThreshold(int failureThreshold) {
            this.failureThreshold = failureThreshold;
            return this;
        }

        /**
         * Sets {@link LifecycleConfig#requestFailureThreshold()}.
         *
         * @param requestFailureThreshold default 3
         * @return this builder
         */
        public Builder requestFailureThreshold(int requestFailureThreshold) {
            this.requestFailureThreshold = requestFailureThreshold;
            return this;
        }

        /**
         * Sets the time to the first readiness probe of a loading worker, and the first interval from the end of a
         * probe to the next. The interval doubles with each probe, up to four times its start, and is at least 200 ms.
         *
         * @param readyInterval default 250 ms
         * @return this builder
         */
        public Builder readyInterval(Duration readyInterval) {
            this.readyInterval = requireNonNull(readyInterval, "readyInterval");
            return this;
        }

        /**
         * Sets how long a load may make no progress: see <a href="#stalls">stalled loads</a>.
         *
         * @param loadStallTimeout default 2 min
         * @return this builder
         */
        public Builder loadStallTimeout(Duration loadStallTimeout) {
            this.loadStallTimeout = requireNonNull(loadStallTimeout, "loadStallTimeout");
            return this;
        }

        /**
         * Sets the limit for one load, regardless of progress. It starts again with each generation.
         *
         * @param loadTimeout default: no limit
         * @return this builder
         */
        public Builder loadTimeout(Duration loadTimeout) {
            this.loadTimeout = Optional.of(requireNonNull(loadTimeout, "loadTimeout"));
            return this;
        }

        /**
         * Sets no limit for a load.
         *
         * @return this builder
         */
        public Builder noLoadTimeout() {
            this.loadTimeout = Optional.empty();
            return this;
        }

        /**
         * Sets how often a worker that sends heartbeats is expected to send one.
         *
         * @param heartbeatInterval default 5 s
         * @return this builder
         */
        public Builder heartbeatInterval(Duration heartbeatInterval) {
            this.heartbeatInterval = requireNonNull(heartbeatInterval, "heartbeatInterval");
            return this;
        }

        /**
         * Sets the number of consecutive missed heartbeats after which a worker is stopped, &ge; 1.
         *
         * @param heartbeatMisses default 3
         * @return this builder
         */
        public Builder heartbeatMisses(int heartbeatMisses) {
            this.heartbeatMisses = heartbeatMisses;
            return this;
        }

        /**
         * Sets how long a busy worker may neither start nor finish work before it counts as hung.
         *
         * @param busyTimeout default: no limit
         * @return this builder
         */
        public Builder busyTimeout(Duration busyTimeout) {
            this.busyTimeout = Optional.of(requireNonNull(busyTimeout, "busyTimeout"));
            return this;
        }

        /**
         * Sets no limit for busy workers.
         *
         * @return this builder
         */
        public Builder noBusyTimeout() {
            this.busyTimeout = Optional.empty();
            return this;
        }

        /**
         * Sets how long the mass-failure guard keeps workers whose checks fail together with those of many others.
         *
         * @param suspicionTimeout default 60 s
         * @return this builder
         */
        public Builder suspicionTimeout(Duration suspicionTimeout) {
            this.suspicionTimeout = requireNonNull(suspicionTimeout, "suspicionTimeout");
            return this;
        }

        /**
         * Sets how long a worker may be idle before it is stopped.
         *
         * @param idleTimeout default 5 min
         * @return this builder
         */
        public Builder idleTimeout(Duration idleTimeout) {
            this.idleTimeout = Optional.of(requireNonNull(idleTimeout, "idleTimeout"));
            return this;
        }

        /**
         * Sets no limit for idle workers.
         *
         * @return this builder
         */
        public Builder noIdleTimeout() {
            this.idleTimeout = Optional.empty();
            return this;
        }

        /**
         * Sets the time between two searches for idle workers. The shortest of all workers applies.
         *
         * @param idleCheckInterval default 60 s, or a fifth of {@code idleTimeout} if that is shorter
         * @return this builder
         */
        public Builder idleCheckInterval(Duration idleCheckInterval) {
            this.idleCheckInterval = requireNonNull(idleCheckInterval, "idleCheckInterval");
            return this;
        }

        /**
         * Sets how long a stop waits for open leases.
         *
         * @param drainTimeout default 30 s
         * @return this builder
         */
        public Builder drainTimeout(Duration drainTimeout) {
            this.drainTimeout = requireNonNull(drainTimeout, "drainTimeout");
            return this;
        }

        /**
         * Sets the grace period: how long a worker may take to exit after the stop request or SIGTERM before it is
         * killed.
         *
         * @param stopGrace default 10 s
         * @return this builder
         */
        public Builder stopGrace(Duration stopGrace) {
            this.stopGrace = requireNonNull(stopGrace, "stopGrace");
            return this;
        }

        /**
         * Sets how long after SIGKILL a process may still run before it is reported as unkillable.
         *
         * @param killTimeout default 5 s
         * @return this builder
         */
        public Builder killTimeout(Duration killTimeout) {
            this.killTimeout = requireNonNull(killTimeout, "killTimeout");
            return this;
        }

        /**
         * Sets the time between two ticks of the supervisor: the resolution of all times here.
         *
         * @param tickInterval default 100 ms
         * @return this builder
         */
        public Builder tickInterval(Duration tickInterval) {
            this.tickInterval = requireNonNull(tickInterval, "tickInterval");
            return this;
        }

        /**
         * Builds the configuration.
         *
         * @return the configuration
         * @throws IllegalArgumentException if a value is out of range; the message names it
         */
        public LifecycleConfig build() {
            requireInRange(healthInterval, "healthInterval");
            return new LifecycleConfig(new Values(
                    healthInterval,
                    healthTimeout != null ? healthTimeout : defaultHealthTimeout(),
                    failureThreshold,
                    requestFailureThreshold,
                    readyInterval,
                    loadStallTimeout,
                    loadTimeout,
                    heartbeatInterval,
                    heartbeatMisses,
                    busyTimeout,
                    suspicionTimeout,
                    idleTimeout,
                    idleCheckInterval != null ? idleCheckInterval : defaultIdleCheckInterval(),
                    drainTimeout,
                    stopGrace,
                    killTimeout,
                    tickInterval));
        }

        private Duration defaultHealthTimeout() {
            return shorter(Duration.ofSeconds(5), healthInterval);
        }

        private Duration defaultIdleCheckInterval() {
            Duration minute = Duration.ofMinutes(1);
            return idleTimeout
                    .map(timeout -> shorter(minute, atLeastOneNano(timeout.dividedBy(5))))
                    .orElse(minute);
        }

        private static Duration atLeastOneNano(Duration duration) {
            return duration.isZero() ? Duration.ofNanos(1) : duration;
        }
    }
}
