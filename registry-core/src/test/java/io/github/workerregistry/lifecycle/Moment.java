package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.time.Instant;

/**
 * When something happens to a modelled worker.
 *
 * @param present in time in which the host ran
 * @param nextRound when the supervisor's next round comes, in the same time
 * @param clock by the clock
 */
record Moment(Duration present, Duration nextRound, Instant clock) {

    boolean isBefore(Duration limit) {
        return present.compareTo(limit) < 0;
    }

    boolean isAfter(Duration limit) {
        return present.compareTo(limit) > 0;
    }
}
