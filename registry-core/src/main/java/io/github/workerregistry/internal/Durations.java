package io.github.workerregistry.internal;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/** Range check and comparison of durations. */
public final class Durations {

    /** The maximum accepted duration: a hundred years. */
    private static final int MAX_DAYS = 36_500;

    private static final Duration MAX = Duration.ofDays(MAX_DAYS);

    private Durations() {}

    /**
     * The longer of two durations.
     *
     * @param a one duration
     * @param b another duration
     * @return the longer one; {@code a} if they are equal
     */
    public static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    /**
     * The shorter of two durations.
     *
     * @param a one duration
     * @param b another duration
     * @return the shorter one; {@code a} if they are equal
     */
    public static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    /**
     * Whether a duration is not negative, and at most 36,500 days.
     *
     * @param value the duration
     * @return true if it can be waited for
     */
    public static boolean isInRangeOrZero(Duration value) {
        return !value.isNegative() && value.compareTo(MAX) <= 0;
    }

    /**
     * Checks that a duration is greater than zero and at most 36,500 days.
     *
     * @param value the duration
     * @param what the name of the argument, for the message
     * @return {@code value}
     * @throws NullPointerException if {@code value} is null
     * @throws IllegalArgumentException if it is out of range
     */
    public static Duration requireInRange(Duration value, String what) {
        requireNonNull(value, what);
        if (value.isZero() || value.isNegative() || value.compareTo(MAX) > 0) {
            throw new IllegalArgumentException(what + " must be > 0 and <= " + MAX_DAYS + " days, was " + value);
        }
        return value;
    }
}
