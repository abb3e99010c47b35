package io.github.workerregistry.lifecycle;

import java.util.concurrent.atomic.AtomicReference;

/**
 * The state of one generation's process start. A start may wait for a thread, take long, or never return; a stop
 * abandons it. Thread-safe: of two conflicting transitions, one fails.
 */
final class ProcessStart {

    private enum Phase {
        WAITING,
        UNDER_WAY,
        ENDED,
        ABANDONED
    }

    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.WAITING);

    /** Whether no thread has begun it yet. */
    boolean isWaiting() {
        return phase.get() == Phase.WAITING;
    }

    /** Whether a thread has begun it: a process may exist that is not attached yet. */
    boolean hasBegun() {
        Phase present = phase.get();
        return present == Phase.UNDER_WAY || present == Phase.ENDED;
    }

    boolean isAbandoned() {
        return phase.get() == Phase.ABANDONED;
    }

    /** Begins it; false if it has begun or was abandoned. */
    boolean begin() {
        return phase.compareAndSet(Phase.WAITING, Phase.UNDER_WAY);
    }

    /** Ends it, with or without a process; false if it was abandoned. */
    boolean end() {
        return phase.compareAndSet(Phase.UNDER_WAY, Phase.ENDED);
    }

    /** Abandons it if it has not begun. */
    boolean cancel() {
        return phase.compareAndSet(Phase.WAITING, Phase.ABANDONED);
    }

    /** Abandons it if it has not ended. */
    boolean abandon() {
        return cancel() || phase.compareAndSet(Phase.UNDER_WAY, Phase.ABANDONED);
    }
}
