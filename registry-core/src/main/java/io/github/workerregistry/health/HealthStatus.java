package io.github.workerregistry.health;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.LogText;

/**
 * The result of a probe.
 *
 * @since 0.1
 */
public sealed interface HealthStatus {

    /**
     * The worker is healthy.
     *
     * @since 0.1
     */
    record Healthy() implements HealthStatus {}

    /**
     * The worker is unhealthy: it reported so, refused the connection, or did not answer in time.
     *
     * @param reason why, in a few words, for the log
     * @since 0.1
     */
    record Unhealthy(String reason) implements HealthStatus {
        /**
         * Rejects null. Control and invisible characters of the reason, which may come from the worker, are written as
         * Java escapes.
         *
         * @throws NullPointerException if {@code reason} is null
         */
        public Unhealthy {
            reason = LogText.of(requireNonNull(reason, "reason"));
        }
    }

    /**
     * The probe itself failed. The result says nothing about the worker and changes no count.
     *
     * @param reason why, in a few words, for the log
     * @since 0.1
     */
    record Unknown(String reason) implements HealthStatus {
        /**
         * Rejects null. Control and invisible characters of the reason, which may come from the worker, are written as
         * Java escapes.
         *
         * @throws NullPointerException if {@code reason} is null
         */
        public Unknown {
            reason = LogText.of(requireNonNull(reason, "reason"));
        }
    }

    /**
     * The worker is healthy.
     *
     * @return {@link Healthy}
     */
    static HealthStatus healthy() {
        return new Healthy();
    }

    /**
     * The worker is unhealthy.
     *
     * @param reason why, in a few words
     * @return {@link Unhealthy}
     */
    static HealthStatus unhealthy(String reason) {
        return new Unhealthy(reason);
    }

    /**
     * The probe itself failed.
     *
     * @param reason why, in a few words
     * @return {@link Unknown}
     */
    static HealthStatus unknown(String reason) {
        return new Unknown(reason);
    }
}
