package io.github.workerregistry;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The workers of one model, in registration order, and the search for a free slot among them.
 *
 * <p>Members change under the registry's write lock and are published as a fresh array; the search takes no lock and trusts only each worker's own
 * word. It goes through the workers in order, so that early ones are filled first and late ones can become idle.
 */
final class ModelSlots {

    private volatile Entry[] members = {};

    void add(Entry entry) {
        List<Entry> next = new ArrayList<>(List.of(members));
        next.add(entry);
        members = next.toArray(Entry[]::new);
    }

    void remove(Entry entry) {
        List<Entry> next = new ArrayList<>(List.of(members));
        next.remove(entry);
        members = next.toArray(Entry[]::new);
    }

    boolean isEmpty() {
        return members.length == 0;
    }

    /** Takes one slot of the first worker that has one, or returns null. */
    @Nullable
    SlotLease tryTake() {
        for (Entry entry : members) {
            SlotLease lease = entry.tryTake();
            if (lease != null) {
                return lease;
            }
        }
        return null;
    }

    Entry[] members() {
        return members;
    }
}
