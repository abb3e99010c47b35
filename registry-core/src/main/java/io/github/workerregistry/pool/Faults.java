package io.github.workerregistry.pool;

import static io.github.workerregistry.internal.Durations.isInRangeOrZero;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The faults of a configuration, which are reported together. */
final class Faults {

    private final List<String> found = new ArrayList<>();

    void require(boolean holds, String fault) {
        if (!holds) {
            found.add(fault);
        }
    }

    void requireInRange(Duration value, String what) {
        require(!value.isZero() && isInRangeOrZero(value), what + " must be > 0 and <= 36500 days, was " + value);
    }

    void requireInRangeOrZero(Duration value, String what) {
        require(isInRangeOrZero(value), what + " must be >= 0 and <= 36500 days, was " + value);
    }

    void add(String fault) {
        found.add(fault);
    }

    /**
     * Reports the faults.
     *
     * @throws IllegalArgumentException if there are any; the message has each of them
     */
    void throwIfAny() {
        if (!found.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", found));
        }
    }
}
