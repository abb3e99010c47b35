package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Checks.requireAtLeast;
import static io.github.workerregistry.internal.Durations.requireInRange;
import static io.github.workerregistry.internal.Durations.shorter;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.Exit;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether and when a worker whose process has exited is restarted.
 *
 * <p>The backoff starts at {@code initial} and doubles with each restart, up to {@code max}; it also applies to the
 * first restart. It starts again at {@code initial} for a worker that was ready for {@code stableAfter} before it
 * exited. Each backoff is randomised by {@code jitter} and never longer than {@code max}. After {@code limit} restarts
 * within a sliding {@code window}, the next failure is a crash loop: the worker is removed. Restarts at an operator's
 * request do not count. (After Erlang/OTP's restart intensity and Kubernetes' {@code CrashLoopBackOff}.)
 *
 * <p>Immutable; two policies with equal values are equal.
 *
 * @since 0.1
 */
public final class RestartPolicy {

    private final Values values;

    /** All values, checked. */
    private record Values(
            Mode mode,
            Duration initial,
            Duration max,
            double jitter,
            Duration stableAfter,
            int limit,
            Duration window) {

        Values {
            requireNonNull(mode, "mode");
            requireInRange(initial, "initial");
            requireInRange(max, "max");
            if (max.compareTo(initial) < 0) {
                throw new IllegalArgumentException("max must be >= initial, was " + max + " < " + initial);
            }
            if (!(jitter >= 0 && jitter <= 1)) {
                throw new IllegalArgumentException("jitter must be 0 to 1, was " + jitter);
            }
            requireInRange(stableAfter, "stableAfter");
            requireAtLeast(1, limit, "limit");
            requireInRange(window, "window");
            Duration backoffs = sumOfBackoffs(initial, max, limit);
            if (mode != Mode.NEVER && backoffs.compareTo(window) >= 0) {
                throw new IllegalArgumentException("the first " + limit + " backoffs add up to " + backoffs
                        + ", which must be < window, was " + window + ": the limit could never be reached");
            }
        }
    }

    /**
     * Which exits are followed by a restart. A requested stop and the idle timeout never are.
     *
     * @since 0.1
     */
    public enum Mode {
        /** Crashes, failed starts, and stops after failed checks. */
        ON_FAILURE,
        /** As {@link #ON_FAILURE}, and also exits with status 0. */
        ALWAYS,
        /** None. */
        NEVER
    }

    private RestartPolicy(Values values) {
        this.values = values;
    }

    /**
     * A policy that restarts after failures, with all defaults.
     *
     * @return the policy
     */
    public static RestartPolicy onFailure() {
        return builder().build();
    }

    /**
     * A policy that restarts after every exit that was not requested, with the other defaults.
     *
     * @return the policy
     */
    public static RestartPolicy always() {
        return builder().mode(Mode.ALWAYS).build();
    }

    /**
     * A policy that never restarts.
     *
     * @return the policy
     */
    public static RestartPolicy never() {
        return builder().mode(Mode.NEVER).build();
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
     * A builder that begins with the values of this policy.
     *
     * @return a new builder
     */
    public Builder toBuilder() {
        return new Builder(values);
    }

    /**
     * Which exits are followed by a restart.
     *
     * @return the mode
     */
    public Mode mode() {
        return values.mode;
    }

    /**
     * The first backoff.
     *
     * @return &gt; 0
     */
    public Duration initial() {
        return values.initial;
    }

    /**
     * The longest backoff.
     *
     * @return at least {@code initial}
     */
    public Duration max() {
        return values.max;
    }

    /**
     * The fraction by which a backoff is randomised in either direction.
     *
     * @return 0 to 1
     */
    public double jitter() {
        return values.jitter;
    }

    /**
     * How long a worker must be ready before its backoff is reset.
     *
     * @return &gt; 0
     */
    public Duration stableAfter() {
        return values.stableAfter;
    }

    /**
     * The number of restarts allowed within the window.
     *
     * @return &ge; 1
     */
    public int limit() {
        return values.limit;
    }

    /**
     * The time over which restarts are counted.
     *
     * @return &gt; 0, longer than the sum of the first {@code limit} backoffs
     */
    public Duration window() {
        return values.window;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof RestartPolicy policy && values.equals(policy.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** All values, for logs. */
    @Override
    public String toString() {
        return values.toString().replaceFirst("^Values", "RestartPolicy");
    }

    /** Whether the mode allows a restart after an exit with this cause. */
    boolean covers(Exit.Cause cause) {
        return switch (values.mode) {
            case ON_FAILURE -> cause.isFailure();
            case ALWAYS -> cause.isFailure() || cause == Exit.Cause.EXITED;
            case NEVER -> false;
        };
    }

    /**
     * The backoff before a restart, for code that restarts workers itself.
     *
     * @param attempt the number of the consecutive restart, &ge; 1
     * @param random 0 to 1, the position within the jitter
     * @return &gt; 0, at most {@link #max()}
     * @throws IllegalArgumentException if {@code attempt} or {@code random} is out of range
     */
    public Duration delay(int attempt, double random) {
        requireAtLeast(1, attempt, "attempt");
        if (!(random >= 0 && random <= 1)) {
            throw new IllegalArgumentException("random must be 0 to 1, was " + random);
        }
        double spread = 1 + values.jitter * (2 * random - 1);
        Duration backoff = doubled(values.initial, values.max, attempt - 1);
        return shorter(
                Duration.ofNanos(Math.round(backoff.toNanos() * spread)), values.max); // no overflow: <= 200 years
    }

    /** The sum of the first backoffs without jitter. */
    private static Duration sumOfBackoffs(Duration initial, Duration max, int limit) {
        Duration sum = Duration.ZERO;
        Duration backoff = initial;
        int left = limit;
        for (; left > 0 && backoff.compareTo(max) < 0; left--) {
            sum = sum.plus(backoff);
            backoff = backoff.multipliedBy(2);
        }
        return sum.plus(max.multipliedBy(left));
    }

    private static Duration doubled(Duration initial, Duration max, int times) {
        Duration backoff = initial;
        for (int i = 0; i < times && backoff.compareTo(max) < 0; i++) {
            backoff = backoff.multipliedBy(2); // <= twice the longest valid duration: no overflow
        }
        return shorter(backoff, max);
    }

    /**
     * Builds a policy. Setters may be called in any order; {@link #build()} checks the values. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private Mode mode = Mode.ON_FAILURE;
        private Duration initial = Duration.ofSeconds(1);
        private Duration max = Duration.ofSeconds(60);
        private double jitter = 0.2;
        private Duration stableAfter = Duration.ofMinutes(10);
        private int limit = 5;
        private Duration window = Duration.ofMinutes(10);

        private Builder() {}

        private Builder(Values values) {
            mode = values.mode;
            initial = values.initial;
            max = values.max;
            jitter = values.jitter;
            stableAfter = values.stableAfter;
            limit = values.limit;
            window = values.window;
        }

        /**
         * Sets which exits are followed by a restart.
         *
         * @param mode default {@link Mode#ON_FAILURE}
         * @return this builder
         */
        public Builder mode(Mode mode) {
            this.mode = requireNonNull(mode, "mode");
            return this;
        }

        /**
         * Sets the first backoff.
         *
         * @param initial &gt; 0, default 1 s
         * @return this builder
         */
        public Builder initial(Duration initial) {
            this.initial = requireNonNull(initial, "initial");
            return this;
        }

        /**
         * Sets the longest backoff.
         *
         * @param max at least {@code initial}, default 60 s
         * @return this builder
         */
        public Builder max(Duration max) {
            this.max = requireNonNull(max, "max");
            return this;
        }

        /**
         * Sets the fraction by which a backoff is randomised in either direction.
         *
         * @param jitter 0 to 1; default 0.2
         * @return this builder
         */
        public Builder jitter(double jitter) {
            this.jitter = jitter;
            return this;
        }

        /**
         * Sets how long a worker must be ready before its backoff is reset.
         *
         * @param stableAfter &gt; 0, default 10 min
         * @return this builder
         */
        public Builder stableAfter(Duration stableAfter) {
            this.stableAfter = requireNonNull(stableAfter, "stableAfter");
            return this;
        }

        /**
         * Sets the number of restarts allowed within the window.
         *
         * @param limit &ge; 1, default 5
         * @return this builder
         */
        public Builder limit(int limit) {
            this.limit = limit;
            return this;
        }

        /**
         * Sets the time over which restarts are counted.
         *
         * @param window &gt; 0, default 10 min
         * @return this builder
         */
        public Builder window(Duration window) {
            this.window = requireNonNull(window, "window");
            return this;
        }

        /**
         * Builds the policy.
         *
         * @return the policy
         * @throws IllegalArgumentException if a value is out of range, or the sum of the first {@code limit} backoffs
         *     is not shorter than the window, so that the limit could never be reached; the message has both numbers
         */
        public RestartPolicy build() {
            return new RestartPolicy(new Values(mode, initial, max, jitter, stableAfter, limit, window));
        }
    }
}
