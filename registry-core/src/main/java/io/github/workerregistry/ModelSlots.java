package io.github.workerregistry;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The workers of one model, in registration order, and the search for a free slot among them.
 *
 * <p>Members change under the registry's write lock; the search takes no lock and trusts only each worker's own word.
 * It goes through the workers in order, so that early ones are filled first and late ones can become idle.
 */
final class ModelSlots {

    /**
     * The first {@code size} entries. Never changed once published; a later one may share the array and see more of it.
     */
    private static final class Members {
        final Entry[] entries;
        final int size;

        Members(Entry[] entries, int size) {
            this.entries = entries;
            this.size = size;
        }
    }

    private volatile Members members = new Members(new Entry[4], 0);

    void add(Entry entry) {
        Members now = members;
        Entry[] entries = now.size < now.entries.length ? now.entries : Arrays.copyOf(now.entries, 2 * now.size);
        entries[now.size] = entry;
        members = new Members(entries, now.size + 1);
    }

    void remove(Entry entry) {
        Entry[] left = Arrays.stream(members.entries, 0, members.size)
                .filter(member -> !member.equals(entry))
                .toArray(Entry[]::new);
        members = new Members(Arrays.copyOf(left, Math.max(4, left.length)), left.length);
    }

    boolean isEmpty() {
        return members.size == 0;
    }

    /** Takes one slot of the first worker that has one, or returns null. */
    @Nullable
    SlotLease tryTake() {
        Members now = members;
        for (int i = 0; i < now.size; i++) {
            SlotLease lease = now.entries[i].tryTake();
            if (lease != null) {
                return lease;
            }
        }
        return null;
    }

    /** The members of this moment. */
    Entry[] list() {
        Members now = members;
        return Arrays.copyOf(now.entries, now.size);
    }
}
