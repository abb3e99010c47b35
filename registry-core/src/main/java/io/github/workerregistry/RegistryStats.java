package io.github.workerregistry;

import static io.github.workerregistry.internal.Checks.requireAtLeast;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.Checks;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of the registry's counts, and totals since its creation. Immutable; instances with equal counts are equal.
 *
 * @since 0.1
 */
public final class RegistryStats {

    private final Values values;

    /** All counts, checked. */
    private record Values(
            int loading,
            int idle,
            int busy,
            int backingOff,
            int stopping,
            long slotsTotal,
            long slotsInUse,
            long registered,
            long becameReady,
            long crashed,
            long restarted,
            long healthChecksFailed,
            long healthChecksUnknown,
            long suspected,
            Map<Exit.Cause, Long> endedBy,
            int waiting,
            long granted,
            long timedOut,
            long cancelled,
            long refused,
            Duration timeWaited) {

        Values {
            requireAtLeast(0, loading, "loading");
            requireAtLeast(0, idle, "idle");
            requireAtLeast(0, busy, "busy");
            requireAtLeast(0, backingOff, "backingOff");
            requireAtLeast(0, stopping, "stopping");
            requireAtLeast(0, slotsTotal, "slotsTotal");
            requireAtLeast(0, slotsInUse, "slotsInUse");
            if (slotsInUse > slotsTotal) {
                throw new IllegalArgumentException(
                        "slotsInUse must be <= slotsTotal, was " + slotsInUse + " > " + slotsTotal);
            }
            requireAtLeast(0, registered, "registered");
            requireAtLeast(0, becameReady, "becameReady");
            requireAtLeast(0, crashed, "crashed");
            requireAtLeast(0, restarted, "restarted");
            requireAtLeast(0, healthChecksFailed, "healthChecksFailed");
            requireAtLeast(0, healthChecksUnknown, "healthChecksUnknown");
            requireAtLeast(0, suspected, "suspected");
            endedBy = Checks.copyOf(endedBy, "endedBy");
            endedBy.forEach((cause, number) -> requireAtLeast(0, number, "endedBy " + cause));
            requireAtLeast(0, waiting, "waiting");
            requireAtLeast(0, granted, "granted");
            requireAtLeast(0, timedOut, "timedOut");
            requireAtLeast(0, cancelled, "cancelled");
            requireAtLeast(0, refused, "refused");
            if (timeWaited.isNegative()) {
                throw new IllegalArgumentException("timeWaited must be >= 0, was " + timeWaited);
            }
        }
    }

    private RegistryStats(Values values) {
        this.values = values;
    }

    /**
     * A builder with every count 0, for tests.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder that begins with these counts.
     *
     * @return a new builder
     */
    public Builder toBuilder() {
        return new Builder(values);
    }

    /**
     * Number of workers that are Loading now.
     *
     * @return the number
     */
    public int loading() {
        return values.loading;
    }

    /**
     * Number of workers that are Idle now.
     *
     * @return the number
     */
    public int idle() {
        return values.idle;
    }

    /**
     * Number of workers that are Busy now.
     *
     * @return the number
     */
    public int busy() {
        return values.busy;
    }

    /**
     * Number of workers that are BackingOff now.
     *
     * @return the number
     */
    public int backingOff() {
        return values.backingOff;
    }

    /**
     * Number of workers that are Stopping now.
     *
     * @return the number
     */
    public int stopping() {
        return values.stopping;
    }

    /**
     * Number of slots of all workers that accept requests now.
     *
     * @return the number
     */
    public long slotsTotal() {
        return values.slotsTotal;
    }

    /**
     * Number of those slots that are in use now.
     *
     * @return the number
     */
    public long slotsInUse() {
        return values.slotsInUse;
    }

    /**
     * Number of workers registered so far.
     *
     * @return the number
     */
    public long registered() {
        return values.registered;
    }

    /**
     * Number of transitions from Loading to Idle so far.
     *
     * @return the number
     */
    public long becameReady() {
        return values.becameReady;
    }

    /**
     * Number of {@link WorkerEvent.Crashed} so far: exits whose cause is a failure ({@link Exit.Cause#isFailure}).
     *
     * @return the number
     */
    public long crashed() {
        return values.crashed;
    }

    /**
     * Number of restarts so far.
     *
     * @return the number
     */
    public long restarted() {
        return values.restarted;
    }

    /**
     * Number of failed health checks so far.
     *
     * @return the number
     */
    public long healthChecksFailed() {
        return values.healthChecksFailed;
    }

    /**
     * Number of health checks so far without a result, see
     * {@link io.github.workerregistry.health.HealthStatus.Unknown}.
     *
     * @return the number
     */
    public long healthChecksUnknown() {
        return values.healthChecksUnknown;
    }

    /**
     * Number of workers suspected so far, see {@link WorkerEvent.Suspected}.
     *
     * @return the number
     */
    public long suspected() {
        return values.suspected;
    }

    /**
     * Ends so far by cause, whether or not a restart followed. {@code UNHEALTHY} counts fail-fast, {@code IDLE_TIMEOUT}
     * idle stops, {@code FORCED} forced kills, {@code LOAD_STALL} stalled loads, {@code LOAD_TIMEOUT} loads over the
     * time limit, {@code HEARTBEAT_MISSED} lost heartbeats.
     *
     * @return an unmodifiable map; a cause without an end is absent
     */
    public Map<Exit.Cause, Long> endedBy() {
        return values.endedBy;
    }

    /**
     * Number of requests that wait for a slot now.
     *
     * @return the number, over all models
     */
    public int waiting() {
        return values.waiting;
    }

    /**
     * Number of requests so far that waited and got a slot.
     *
     * @return the number
     */
    public long granted() {
        return values.granted;
    }

    /**
     * Number of requests so far that got no slot within their timeout.
     *
     * @return the number
     */
    public long timedOut() {
        return values.timedOut;
    }

    /**
     * Number of waiting requests so far that were cancelled, or whose thread was interrupted.
     *
     * @return the number
     */
    public long cancelled() {
        return values.cancelled;
    }

    /**
     * Number of requests so far that were refused, at once or while they waited: the queue was full, or no worker could
     * serve them.
     *
     * @return the number
     */
    public long refused() {
        return values.refused;
    }

    /**
     * Time so far that requests waited, whether or not they got a slot. Divided by the number of requests that ended,
     * it is the mean wait; requests that got a slot at once are not counted.
     *
     * @return the sum over all waits that have ended
     */
    public Duration timeWaited() {
        return values.timeWaited;
    }

    /**
     * Number of workers that are registered now.
     *
     * @return the sum over all states
     */
    public int workers() {
        return loading() + idle() + busy() + backingOff() + stopping();
    }

    /**
     * Number of ends with a cause.
     *
     * @param cause the cause
     * @return the number
     */
    public long ended(Exit.Cause cause) {
        return endedBy().getOrDefault(requireNonNull(cause, "cause"), 0L);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof RegistryStats stats && values.equals(stats.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** All counts, for logs. */
    @Override
    public String toString() {
        return values.toString().replaceFirst("^Values", "RegistryStats");
    }

    /**
     * Builds {@link RegistryStats}. Setters may be called in any order; {@link #build()} checks the values. Not
     * thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private int loading;
        private int idle;
        private int busy;
        private int backingOff;
        private int stopping;
        private long slotsTotal;
        private long slotsInUse;
        private long registered;
        private long becameReady;
        private long crashed;
        private long restarted;
        private long healthChecksFailed;
        private long healthChecksUnknown;
        private long suspected;
        private Map<Exit.Cause, Long> endedBy = Map.of();
        private int waiting;
        private long granted;
        private long timedOut;
        private long cancelled;
        private long refused;
        private Duration timeWaited = Duration.ZERO;

        private Builder() {}

        private Builder(Values values) {
            loading = values.loading;
            idle = values.idle;
            busy = values.busy;
            backingOff = values.backingOff;
            stopping = values.stopping;
            slotsTotal = values.slotsTotal;
            slotsInUse = values.slotsInUse;
            registered = values.registered;
            becameReady = values.becameReady;
            crashed = values.crashed;
            restarted = values.restarted;
            healthChecksFailed = values.healthChecksFailed;
            healthChecksUnknown = values.healthChecksUnknown;
            suspected = values.suspected;
            endedBy = values.endedBy;
            waiting = values.waiting;
            granted = values.granted;
            timedOut = values.timedOut;
            cancelled = values.cancelled;
            refused = values.refused;
            timeWaited = values.timeWaited;
        }

        /**
         * Sets {@link RegistryStats#loading()}.
         *
         * @param loading the number
         * @return this builder
         */
        public Builder loading(int loading) {
            this.loading = loading;
            return this;
        }

        /**
         * Sets {@link RegistryStats#idle()}.
         *
         * @param idle the number
         * @return this builder
         */
        public Builder idle(int idle) {
            this.idle = idle;
            return this;
        }

        /**
         * Sets {@link RegistryStats#busy()}.
         *
         * @param busy the number
         * @return this builder
         */
        public Builder busy(int busy) {
            this.busy = busy;
            return this;
        }

        /**
         * Sets {@link RegistryStats#backingOff()}.
         *
         * @param backingOff the number
         * @return this builder
         */
        public Builder backingOff(int backingOff) {
            this.backingOff = backingOff;
            return this;
        }

        /**
         * Sets {@link RegistryStats#stopping()}.
         *
         * @param stopping the number
         * @return this builder
         */
        public Builder stopping(int stopping) {
            this.stopping = stopping;
            return this;
        }

        /**
         * Sets {@link RegistryStats#slotsTotal()}.
         *
         * @param slotsTotal the number
         * @return this builder
         */
        public Builder slotsTotal(long slotsTotal) {
            this.slotsTotal = slotsTotal;
            return this;
        }

        /**
         * Sets {@link RegistryStats#slotsInUse()}.
         *
         * @param slotsInUse the number
         * @return this builder
         */
        public Builder slotsInUse(long slotsInUse) {
            this.slotsInUse = slotsInUse;
            return this;
        }

        /**
         * Sets {@link RegistryStats#registered()}.
         *
         * @param registered the number
         * @return this builder
         */
        public Builder registered(long registered) {
            this.registered = registered;
            return this;
        }

        /**
         * Sets {@link RegistryStats#becameReady()}.
         *
         * @param becameReady the number
         * @return this builder
         */
        public Builder becameReady(long becameReady) {
            this.becameReady = becameReady;
            return this;
        }

        /**
         * Sets {@link RegistryStats#crashed()}.
         *
         * @param crashed the number
         * @return this builder
         */
        public Builder crashed(long crashed) {
            this.crashed = crashed;
            return this;
        }

        /**
         * Sets {@link RegistryStats#restarted()}.
         *
         * @param restarted the number
         * @return this builder
         */
        public Builder restarted(long restarted) {
            this.restarted = restarted;
            return this;
        }

        /**
         * Sets {@link RegistryStats#healthChecksFailed()}.
         *
         * @param healthChecksFailed the number
         * @return this builder
         */
        public Builder healthChecksFailed(long healthChecksFailed) {
            this.healthChecksFailed = healthChecksFailed;
            return this;
        }

        /**
         * Sets {@link RegistryStats#healthChecksUnknown()}.
         *
         * @param healthChecksUnknown the number
         * @return this builder
         */
        public Builder healthChecksUnknown(long healthChecksUnknown) {
            this.healthChecksUnknown = healthChecksUnknown;
            return this;
        }

        /**
         * Sets {@link RegistryStats#suspected()}.
         *
         * @param suspected the number
         * @return this builder
         */
        public Builder suspected(long suspected) {
            this.suspected = suspected;
            return this;
        }

        /**
         * Sets {@link RegistryStats#endedBy()}.
         *
         * @param endedBy the ends by cause; copied by {@link #build()}
         * @return this builder
         */
        public Builder endedBy(Map<Exit.Cause, Long> endedBy) {
            this.endedBy = requireNonNull(endedBy, "endedBy");
            return this;
        }

        /**
         * Sets {@link RegistryStats#waiting()}.
         *
         * @param waiting the number
         * @return this builder
         */
        public Builder waiting(int waiting) {
            this.waiting = waiting;
            return this;
        }

        /**
         * Sets {@link RegistryStats#granted()}.
         *
         * @param granted the number
         * @return this builder
         */
        public Builder granted(long granted) {
            this.granted = granted;
            return this;
        }

        /**
         * Sets {@link RegistryStats#timedOut()}.
         *
         * @param timedOut the number
         * @return this builder
         */
        public Builder timedOut(long timedOut) {
            this.timedOut = timedOut;
            return this;
        }

        /**
         * Sets {@link RegistryStats#cancelled()}.
         *
         * @param cancelled the number
         * @return this builder
         */
        public Builder cancelled(long cancelled) {
            this.cancelled = cancelled;
            return this;
        }

        /**
         * Sets {@link RegistryStats#refused()}.
         *
         * @param refused the number
         * @return this builder
         */
        public Builder refused(long refused) {
            this.refused = refused;
            return this;
        }

        /**
         * Sets {@link RegistryStats#timeWaited()}.
         *
         * @param timeWaited the time
         * @return this builder
         */
        public Builder timeWaited(Duration timeWaited) {
            this.timeWaited = requireNonNull(timeWaited, "timeWaited");
            return this;
        }

        /**
         * Builds the counts.
         *
         * @return the counts
         * @throws IllegalArgumentException if a count is negative, or {@code slotsInUse} is more than
         *     {@code slotsTotal}; the message names it
         */
        public RegistryStats build() {
            return new RegistryStats(new Values(
                    loading,
                    idle,
                    busy,
                    backingOff,
                    stopping,
                    slotsTotal,
                    slotsInUse,
                    registered,
                    becameReady,
                    crashed,
                    restarted,
                    healthChecksFailed,
                    healthChecksUnknown,
                    suspected,
                    endedBy,
                    waiting,
                    granted,
                    timedOut,
                    cancelled,
                    refused,
                    timeWaited));
        }
    }
}
