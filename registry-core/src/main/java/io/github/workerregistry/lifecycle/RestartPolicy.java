package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Durations.shorter;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.Exit;
import java.time.Duration;

/**
 * Whether a worker whose process has ended is started again, when, and when no more.
 *
 * <p>The wait before a restart begins at {@code initial} and doubles from restart to restart, up to {@code max}; the
 * first restart waits too. A worker that was ready for {@code stableAfter}, measured from ready to exit, begins anew.
 * Each wait is spread by {@code jitter} and never longer than {@code max}. After {@code limit} restarts within a
 * sliding {@code window}, the next failure is the last: a crash loop. Restarts that an operator asked for are not
 * counted. (After Erlang/OTP's restart intensity and Kubernetes' crash-loop back-off.)
 *
 * @param mode which exits are followed by a restart; default on failure
 * @param initial the first wait; default 1 s
 * @param max the longest wait, at least {@code initial}; default 60 s
 * @param jitter by which part a wait is spread to either side, 0 to 1; default 0.2
 * @param stableAfter how long a worker has to be ready until its failures are forgotten; default 10 min
 * @param limit restarts within the window, &ge; 1; default 5
 * @param window how far back restarts are counted; default 10 min; longer than the first {@code limit} waits together,
 *     or the limit could never be reached
 */
public record RestartPolicy(
        Mode mode, Duration initial, Duration max, double jitter, Duration stableAfter, int limit, Duration window) {

    /** Which exits are followed by a restart. An end that somebody asked for, or the idle timeout, never is. */
    public enum Mode {
        /** Crashes, failed starts, and ends because of failed checks. */
        ON_FAILURE,
        /** The same, and a process that ends well by itself. */
        ALWAYS,
        /** None. */
        NEVER
    }

    /**
     * Checks every value, and that the limit can be reached.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if a value is out of range, or the waits outlast the window; the message has
     *     both numbers
     */
    public RestartPolicy {
        requireNonNull(mode, "mode");
        LifecycleConfig.requireInRange(initial, "initial");
        LifecycleConfig.requireInRange(max, "max");
        if (max.compareTo(initial) < 0) {
            throw new IllegalArgumentException("max must be >= initial, was " + max + " < " + initial);
        }
        if (!(jitter >= 0 && jitter <= 1)) {
            throw new IllegalArgumentException("jitter must be 0 to 1, was " + jitter);
        }
        LifecycleConfig.requireInRange(stableAfter, "stableAfter");
        if (limit < 1) {
            throw new IllegalArgumentException("limit must be >= 1, was " + limit);
        }
        LifecycleConfig.requireInRange(window, "window");
        Duration waits = waitsTogether(initial, max, limit);
        if (mode != Mode.NEVER && waits.compareTo(window) >= 0) {
            throw new IllegalArgumentException("the first " + limit + " waits take " + waits
                    + " together, which must be < window, was " + window + ": the limit could never be reached");
        }
    }

    /**
     * Restarts after failures, with every default.
     *
     * @return the policy
     */
    public static RestartPolicy onFailure() {
        return builder().build();
    }

    /**
     * Restarts after every exit that nobody asked for, with every other default.
     *
     * @return the policy
     */
    public static RestartPolicy always() {
        return builder().mode(Mode.ALWAYS).build();
    }

    /**
     * No restarts.
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

    /** Whether an exit with this cause is followed by a restart, as far as the mode goes. */
    boolean covers(Exit.Cause cause) {
        return switch (mode) {
            case ON_FAILURE -> cause.isFailure();
            case ALWAYS -> cause.isFailure() || cause == Exit.Cause.EXITED;
            case NEVER -> false;
        };
    }

    /**
     * The wait before a restart.
     *
     * @param attempt which restart in a row, &ge; 1
     * @param random 0 to 1, where in the spread the wait lies
     */
    Duration delay(int attempt, double random) {
        double spread = 1 + jitter * (2 * random - 1);
        Duration wait = doubled(initial, max, attempt - 1);
        return shorter(Duration.ofNanos(Math.round(wait.toNanos() * spread)), max); // twice a hundred years fit
    }

    /** The sum of the first waits without their spread. */
    private static Duration waitsTogether(Duration initial, Duration max, int limit) {
        Duration sum = Duration.ZERO;
        Duration wait = initial;
        int left = limit;
        for (; left > 0 && wait.compareTo(max) < 0; left--) {
            sum = sum.plus(wait);
            wait = wait.multipliedBy(2);
        }
        return sum.plus(max.multipliedBy(left));
    }

    private static Duration doubled(Duration initial, Duration max, int times) {
        Duration wait = initial;
        for (int i = 0; i < times && wait.compareTo(max) < 0; i++) {
            wait = wait.multipliedBy(2); // at most twice the longest duration that is taken: no overflow
        }
        return shorter(wait, max);
    }

    /**
     * Puts a policy together; every method returns the builder, in any order. Values are checked by {@link #build()}.
     * Not thread-safe.
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
         * Sets the first wait.
         *
         * @param initial default 1 s
         * @return this builder
         */
        public Builder initial(Duration initial) {
            this.initial = requireNonNull(initial, "initial");
            return this;
        }

        /**
         * Sets the longest wait.
         *
         * @param max default 60 s
         * @return this builder
         */
        public Builder max(Duration max) {
            this.max = requireNonNull(max, "max");
            return this;
        }

        /**
         * Sets by which part a wait is spread to either side.
         *
         * @param jitter 0 to 1; default 0.2
         * @return this builder
         */
        public Builder jitter(double jitter) {
            this.jitter = jitter;
            return this;
        }

        /**
         * Sets how long a worker has to be ready until its failures are forgotten.
         *
         * @param stableAfter default 10 min
         * @return this builder
         */
        public Builder stableAfter(Duration stableAfter) {
            this.stableAfter = requireNonNull(stableAfter, "stableAfter");
            return this;
        }

        /**
         * Sets how many restarts the window may see.
         *
         * @param limit default 5
         * @return this builder
         */
        public Builder limit(int limit) {
            this.limit = limit;
            return this;
        }

        /**
         * Sets how far back restarts are counted.
         *
         * @param window default 10 min
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
         * @throws IllegalArgumentException as the {@linkplain RestartPolicy constructor} says
         */
        public RestartPolicy build() {
            return new RestartPolicy(mode, initial, max, jitter, stableAfter, limit, window);
        }
    }
}
