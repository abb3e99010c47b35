package io.github.workerregistry;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a write section of the registry leaves to be done when its lock has been dropped, before listeners are told.
 * Filled under the write lock.
 */
final class Aftermath {

    private final Set<ModelSlots> changed = new HashSet<>();
    private final List<Incarnation> ended = new ArrayList<>();

    private record Incarnation(Entry entry, int generation) {}

    /** Something has changed in a model that may concern those who wait for its slots. */
    void changed(ModelSlots model) {
        changed.add(model);
    }

    /** The process of a worker's generation has gone, or its record, and so have its leases. */
    void ended(Entry entry, int generation) {
        ended.add(new Incarnation(entry, generation));
    }

    boolean isEmpty() {
        return changed.isEmpty() && ended.isEmpty();
    }

    /** Serves waiters. */
    void serve() {
        changed.forEach(ModelSlots::changed);
    }

    /** Completes what the hive asked for of leases that have become void. */
    void tell(LeaseChecks checks, LeaseEnds ends) {
        for (Incarnation incarnation : ended) {
            checks.incarnationEnded(incarnation.entry, incarnation.generation);
            ends.incarnationEnded(incarnation.entry);
        }
    }
}
