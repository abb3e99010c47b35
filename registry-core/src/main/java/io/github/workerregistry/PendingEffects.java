package io.github.workerregistry;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Effects of a write section, applied after its lock has been released and before events are dispatched. Filled under
 * the write lock.
 */
final class PendingEffects {

    private final Set<ModelSlots> changed = new HashSet<>();
    private final List<Ended> ended = new ArrayList<>();
    private final List<WorkerEntry> watched = new ArrayList<>();

    private record Ended(WorkerEntry entry, Incarnation incarnation) {}

    /** A model has changed in a way that may concern its waiters. */
    void changed(ModelSlots model) {
        changed.add(model);
    }

    /** A worker's process has exited, or its record was removed: its leases are void. */
    void ended(WorkerEntry entry, Incarnation incarnation) {
        ended.add(new Ended(entry, incarnation));
    }

    /** A worker with idle actions has changed; its word may have no slot in use any more. */
    void watched(WorkerEntry entry) {
        watched.add(entry);
    }

    boolean isEmpty() {
        return changed.isEmpty() && ended.isEmpty() && watched.isEmpty();
    }

    /** Serves waiters. */
    void serve() {
        changed.forEach(ModelSlots::changed);
    }

    /**
     * Ends the checks and completes the {@link SlotLease#whenEnded} stages of void leases, and runs the actions of idle
     * workers.
     */
    void complete(LeaseCheckCoordinator checks, LeaseEndFutures ends, IdleActions idleActions) {
        for (Ended end : ended) {
            checks.incarnationEnded(end.entry, end.incarnation);
            ends.incarnationEnded(end.entry);
        }
        watched.forEach(idleActions::idle);
    }
}
