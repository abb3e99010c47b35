package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Durations.shorter;
import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When a {@link WorkerSupervisor} acts. Every {@link Duration} is greater than zero and at most {@value #MAX_DAYS}
 * days.
 *
 * @param healthInterval time between two health checks of a worker, spread by &plusmn;10 %; default 30 s
 * @param healthTimeout how long an answer to a health check may take, at most {@code healthInterval}; also, how long at
 *     most no slot of a worker is leased when a lease of it has {@linkplain io.github.workerregistry.SlotLease#fail
 *     failed}; default 5 s, or {@code healthInterval} if that is shorter
 * @param failureThreshold failed checks in a row after which an idle worker is given up, &ge; 1; default 3
 * @param readyInterval time to the first readiness probe of a loading worker; the wait from the end of a probe to the
 *     next one doubles from probe to probe, to four times as much. It is 200 ms at least, because output counts as
 *     progress only between two probes, see {@code loadStall}; default 250 ms
 * @param loadStall how long a load may go on without progress, which is output that grows, a heartbeat, or
 *     {@link WorkerSupervisor#progress}; a model that loads in silence for longer needs a longer one. Output is
 *     progress unless a readiness probe was open when it came, or within the 100 ms before it: so a server's log of our
 *     probes is none, if it is written at once. A load that made no progress for {@code loadStall}, but wrote beside
 *     probes, is probed no more until it makes progress, and ended when it has written nothing for {@code loadStall}
 *     then: so no load is ended for a stall within {@code loadStall} of any output. A worker whose output is not
 *     recorded is ended for a stall only if a heartbeat or a progress report of the same generation has come before;
 *     default 2 min
 * @param loadTimeout how long a load may take in all, from when the worker began to load, in each generation anew, and
 *     whatever progress it makes; ends what {@code loadStall} misses; empty: for ever; default empty
 * @param heartbeatInterval how often a worker that sends heartbeats is expected to send one; default 5 s
 * @param heartbeatMisses how many missed in a row end it, &ge; 1; default 3
 * @param busyLimit how long a busy worker may neither take nor finish work until it counts as hung; empty: never;
 *     default empty
 * @param suspectLimit how long workers are kept whose checks fail together with those of many others; default 60 s
 * @param idleTimeout how long a worker may have nothing to do before it is stopped; empty: never stopped; default 5 min
 * @param idleCheck time between two looks for idle workers; default 60 s, or a fifth of {@code idleTimeout} if that is
 *     shorter
 * @param drain how long a stop waits for open leases; default 30 s
 * @param stopGrace how long a worker has to end once it was asked, before it is killed; default 10 s
 * @param killWait how long after the kill the process may still be there before it is reported as unkillable; default 5
 *     s
 * @param sweep time between two rounds of the supervisor: backstop for exits that nobody told of, and the resolution of
 *     all times here; default 100 ms
 */
public record LifecycleConfig(
        Duration healthInterval,
        Duration healthTimeout,
        int failureThreshold,
        Duration readyInterval,
        Duration loadStall,
        Optional<Duration> loadTimeout,
        Duration heartbeatInterval,
        int heartbeatMisses,
        Optional<Duration> busyLimit,
        Duration suspectLimit,
        Optional<Duration> idleTimeout,
        Duration idleCheck,
        Duration drain,
        Duration stopGrace,
        Duration killWait,
        Duration sweep) {

    /** The longest duration that is taken, in days: a hundred years. */
    public static final int MAX_DAYS = 36_500;

    private static final Duration MAX = Duration.ofDays(MAX_DAYS);

    /**
     * Checks every value, and that they fit together.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if a value is out of range; the message names it
     */
    public LifecycleConfig {
        requireInRange(healthInterval, "healthInterval");
        requireInRange(healthTimeout, "healthTimeout");
        if (healthTimeout.compareTo(healthInterval) > 0) {
            throw new IllegalArgumentException(
                    "healthTimeout must be <= healthInterval, was " + healthTimeout + " > " + healthInterval);
        }
        if (failureThreshold < 1) {
            throw new IllegalArgumentException("failureThreshold must be >= 1, was " + failureThreshold);
        }
        requireInRange(readyInterval, "readyInterval");
        requireInRange(loadStall, "loadStall");
        requireNonNull(loadTimeout, "loadTimeout").ifPresent(timeout -> requireInRange(timeout, "loadTimeout"));
        requireInRange(heartbeatInterval, "heartbeatInterval");
        if (heartbeatMisses < 1) {
            throw new IllegalArgumentException("heartbeatMisses must be >= 1, was " + heartbeatMisses);
        }
        requireNonNull(busyLimit, "busyLimit").ifPresent(limit -> requireInRange(limit, "busyLimit"));
        requireInRange(suspectLimit, "suspectLimit");
        requireNonNull(idleTimeout, "idleTimeout").ifPresent(timeout -> requireInRange(timeout, "idleTimeout"));
        requireInRange(idleCheck, "idleCheck");
        requireInRange(drain, "drain");
        requireInRange(stopGrace, "stopGrace");
        requireInRange(killWait, "killWait");
        requireInRange(sweep, "sweep");
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

    static Duration requireInRange(Duration value, String what) {
        requireNonNull(value, what);
        if (value.isZero() || value.isNegative() || value.compareTo(MAX) > 0) {
            throw new IllegalArgumentException(what + " must be > 0 and <= " + MAX_DAYS + " days, was " + value);
        }
        return value;
    }

    /**
     * Puts a configuration together; every method returns the builder, in any order. Values are checked by
     * {@link #build()}. Not thread-safe.
     */
    public static final class Builder {
        private Duration healthInterval = Duration.ofSeconds(30);
        private @Nullable Duration healthTimeout;
        private int failureThreshold = 3;
        private Duration readyInterval = Duration.ofMillis(250);
        private Duration loadStall = Duration.ofMinutes(2);
        private Optional<Duration> loadTimeout = Optional.empty();
        private Duration heartbeatInterval = Duration.ofSeconds(5);
        private int heartbeatMisses = 3;
        private Optional<Duration> busyLimit = Optional.empty();
        private Duration suspectLimit = Duration.ofSeconds(60);
        private Optional<Duration> idleTimeout = Optional.of(Duration.ofMinutes(5));
        private @Nullable Duration idleCheck;
        private Duration drain = Duration.ofSeconds(30);
        private Duration stopGrace = Duration.ofSeconds(10);
        private Duration killWait = Duration.ofSeconds(5);
        private Duration sweep = Duration.ofMillis(100);

        private Builder() {}

        /**
         * Sets the time between two health checks of a worker.
         *
         * @param healthInterval default 30 s
         * @return this builder
         */
        public Builder healthInterval(Duration healthInterval) {
            this.healthInterval = requireNonNull(healthInterval, "healthInterval");
            return this;
        }

        /**
         * Sets how long an answer to a health check may take.
         *
         * @param healthTimeout default 5 s, or the health interval if that is shorter
         * @return this builder
         */
        public Builder healthTimeout(Duration healthTimeout) {
            this.healthTimeout = requireNonNull(healthTimeout, "healthTimeout");
            return this;
        }

        /**
         * Sets after how many failed checks in a row an idle worker is given up.
         *
         * @param failureThreshold default 3
         * @return this builder
         */
        public Builder failureThreshold(int failureThreshold) {
            this.failureThreshold = failureThreshold;
            return this;
        }

        /**
         * Sets the time to the first readiness probe of a loading worker.
         *
         * @param readyInterval default 250 ms
         * @return this builder
         */
        public Builder readyInterval(Duration readyInterval) {
            this.readyInterval = requireNonNull(readyInterval, "readyInterval");
            return this;
        }

        /**
         * Sets how long a load may go on without progress: output that grows, a heartbeat, or
         * {@link WorkerSupervisor#progress}. See {@link LifecycleConfig#loadStall()} for what it means where output is
         * not recorded.
         *
         * @param loadStall default 2 min
         * @return this builder
         */
        public Builder loadStall(Duration loadStall) {
            this.loadStall = requireNonNull(loadStall, "loadStall");
            return this;
        }

        /**
         * Sets how long a load may take in all, whatever progress it makes.
         *
         * @param loadTimeout default: for ever
         * @return this builder
         */
        public Builder loadTimeout(Duration loadTimeout) {
            this.loadTimeout = Optional.of(requireNonNull(loadTimeout, "loadTimeout"));
            return this;
        }

        /**
         * Lets loads take for ever, as long as they make progress.
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
         * Sets how many heartbeats missed in a row end a worker.
         *
         * @param heartbeatMisses default 3
         * @return this builder
         */
        public Builder heartbeatMisses(int heartbeatMisses) {
            this.heartbeatMisses = heartbeatMisses;
            return this;
        }

        /**
         * Sets how long a busy worker may neither take nor finish work until it counts as hung.
         *
         * @param busyLimit default: for ever
         * @return this builder
         */
        public Builder busyLimit(Duration busyLimit) {
            this.busyLimit = Optional.of(requireNonNull(busyLimit, "busyLimit"));
            return this;
        }

        /**
         * Sets how long workers are kept whose checks fail together with those of many others.
         *
         * @param suspectLimit default 60 s
         * @return this builder
         */
        public Builder suspectLimit(Duration suspectLimit) {
            this.suspectLimit = requireNonNull(suspectLimit, "suspectLimit");
            return this;
        }

        /**
         * Sets how long a worker may have nothing to do before it is stopped.
         *
         * @param idleTimeout default 5 min
         * @return this builder
         */
        public Builder idleTimeout(Duration idleTimeout) {
            this.idleTimeout = Optional.of(requireNonNull(idleTimeout, "idleTimeout"));
            return this;
        }

        /**
         * Lets workers idle for ever.
         *
         * @return this builder
         */
        public Builder noIdleTimeout() {
            this.idleTimeout = Optional.empty();
            return this;
        }

        /**
         * Sets the time between two looks for idle workers.
         *
         * @param idleCheck default 60 s, or a fifth of the idle timeout if that is shorter
         * @return this builder
         */
        public Builder idleCheck(Duration idleCheck) {
            this.idleCheck = requireNonNull(idleCheck, "idleCheck");
            return this;
        }

        /**
         * Sets how long a stop waits for open leases.
         *
         * @param drain default 30 s
         * @return this builder
         */
        public Builder drain(Duration drain) {
            this.drain = requireNonNull(drain, "drain");
            return this;
        }

        /**
         * Sets how long a worker has to end once it was asked.
         *
         * @param stopGrace default 10 s
         * @return this builder
         */
        public Builder stopGrace(Duration stopGrace) {
            this.stopGrace = requireNonNull(stopGrace, "stopGrace");
            return this;
        }

        /**
         * Sets how long after the kill a process may still be there.
         *
         * @param killWait default 5 s
         * @return this builder
         */
        public Builder killWait(Duration killWait) {
            this.killWait = requireNonNull(killWait, "killWait");
            return this;
        }

        /**
         * Sets the time between two rounds of the supervisor.
         *
         * @param sweep default 100 ms
         * @return this builder
         */
        public Builder sweep(Duration sweep) {
            this.sweep = requireNonNull(sweep, "sweep");
            return this;
        }

        /**
         * Builds the configuration.
         *
         * @return the configuration
         * @throws NullPointerException if a value is null; the message names it
         * @throws IllegalArgumentException if a value is out of range; the message names it
         */
        public LifecycleConfig build() {
            requireInRange(healthInterval, "healthInterval");
            return new LifecycleConfig(
                    healthInterval,
                    healthTimeout != null ? healthTimeout : shorter(Duration.ofSeconds(5), healthInterval),
                    failureThreshold,
                    readyInterval,
                    loadStall,
                    loadTimeout,
                    heartbeatInterval,
                    heartbeatMisses,
                    busyLimit,
                    suspectLimit,
                    idleTimeout,
                    idleCheck != null ? idleCheck : defaultIdleCheck(),
                    drain,
                    stopGrace,
                    killWait,
                    sweep);
        }

        private Duration defaultIdleCheck() {
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
