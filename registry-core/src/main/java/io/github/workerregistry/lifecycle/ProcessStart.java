package io.github.workerregistry.lifecycle;

import java.util.concurrent.atomic.AtomicReference;

/**
 * How far the start of one generation's process has come. It may wait for a thread, take long, or never come to its
 * end; so it is given up when the worker is to end before. Thread-safe: of two steps that exclude each other, one
 * fails.
 */
final class ProcessStart {

    private enum Phase {
        WAITING,
        UNDER_WAY,
        ENDED,
        GIVEN_UP
    }

    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.WAITING);

    /** Whether no thread has begun it yet. */
    boolean isWaiting() {
        return phase.get() == Phase.WAITING;
    }

    /** Whether a thread is at it, or has been: the process may be there, and not be known yet. */
    boolean hasBegun() {
        Phase present = phase.get();
        return present == Phase.UNDER_WAY || present == Phase.ENDED;
    }

    boolean isGivenUp() {
        return phase.get() == Phase.GIVEN_UP;
    }

    /** Begins it; false if it has begun, or was given up. */
    boolean begin() {
        return phase.compareAndSet(Phase.WAITING, Phase.UNDER_WAY);
    }

    /** Ends it, with a process or without; false if it was given up meanwhile. */
    boolean end() {
        return phase.compareAndSet(Phase.UNDER_WAY, Phase.ENDED);
    }

    /** Gives it up if it has not begun. */
    boolean cancel() {
        return phase.compareAndSet(Phase.WAITING, Phase.GIVEN_UP);
    }

    /** Gives it up if it has not come to its end. */
    boolean giveUp() {
        return cancel() || phase.compareAndSet(Phase.UNDER_WAY, Phase.GIVEN_UP);
    }
}
