package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;

/**
 * The time of a step of the models.
 *
 * @param active the active time, without pauses
 * @param nextTick the active time of the supervisor's next tick
 * @param clock the time of the clock
 */
record ModelTime(Duration active, Duration nextTick, Instant clock) {

    boolean isBefore(Duration limit) {
        return active.compareTo(limit) < 0;
    }

    boolean isAfter(Duration limit) {
        return active.compareTo(limit) > 0;
    }
}
