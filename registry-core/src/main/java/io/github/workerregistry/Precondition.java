package io.github.workerregistry;

import io.github.workerregistry.WorkerState.Idle;

/** Condition for a step of a worker, evaluated on a consistent pair of record and word. */
@FunctionalInterface
interface Precondition {

    boolean holds(WorkerInfo now, long word);

    static Precondition none() {
        return (now, word) -> true;
    }

    /** The worker is still this incarnation, whatever its state. */
    static Precondition is(Incarnation incarnation) {
        return (now, word) -> now.incarnation().equals(incarnation);
    }

    /** The worker has not changed since it was read: same incarnation, same state, and not used if Idle. */
    static Precondition unchangedSince(WorkerInfo then) {
        return (now, word) -> now.incarnation().equals(then.incarnation())
                && now.state().equals(then.state())
                && !(then.state() instanceof Idle
                        && (Occupancy.isUsed(word) || !now.lastActivity().equals(then.lastActivity())));
    }
}
