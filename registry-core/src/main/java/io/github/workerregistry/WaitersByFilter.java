package io.github.workerregistry;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Waiters in order of arrival, grouped by filter: if the first of a group finds no slot, the others of the group find
 * none either. So serving a queue costs one search per distinct filter, however many callers wait.
 *
 * <p>The groups form a list ordered by their first waiters; each group is a list of waiters. Removal allocates nothing:
 * if it failed, the waiter would be served with a slot that is never closed. Not thread-safe.
 */
final class WaitersByFilter {

    private static final Kind ANY = new Kind(SlotFilter.any());

    private final Map<Kind, Group> groups = new HashMap<>();
    private @Nullable Group head;
    private @Nullable Group tail;
    private long nextTicket;
    private int size;

    /** Key of a filter. Compares predicates by identity, because their {@code equals} is foreign code. */
    private static final class Kind {
        private final Optional<String> backend;
        private final OptionalInt device;
        private final @Nullable Predicate<WorkerInfo> predicate;

        Kind(SlotFilter filter) {
            backend = filter.backend();
            device = filter.device();
            predicate = filter.predicate().orElse(null);
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // intended, see above
        public boolean equals(@Nullable Object other) {
            return other instanceof Kind kind
                    && predicate == kind.predicate
                    && backend.equals(kind.backend)
                    && device.equals(kind.device);
        }

        @Override
        public int hashCode() {
            return 31 * (31 * backend.hashCode() + device.hashCode()) + System.identityHashCode(predicate);
        }
    }

    /** Waiters with the same filter; empty only while its first waiter is being added. */
    static final class Group {
        private final Kind kind;
        private @Nullable Group previous;
        private @Nullable Group next;
        private @Nullable Waiter first;
        private @Nullable Waiter last;

        private Group(Kind kind) {
            this.kind = kind;
        }
    }

    int size() {
        return size;
    }

    /** Whether there is a waiter without a filter. */
    boolean hasUnfiltered() {
        return groups.containsKey(ANY);
    }

    /** Adds a waiter at the end. */
    void add(Waiter waiter) {
        Group group = groups.computeIfAbsent(new Kind(waiter.filter()), Group::new);
        waiter.ticket = nextTicket++;
        waiter.group = group;
        waiter.previous = group.last;
        if (group.last == null) {
            group.first = waiter;
            insert(group, tail);
        } else {
            group.last.next = waiter;
        }
        group.last = waiter;
        size++;
    }

    /** Removes a waiter, if present. */
    void remove(Waiter waiter) {
        Group group = waiter.group;
        if (group == null) {
            return;
        }
        boolean wasFirst = waiter.previous == null;
        if (waiter.previous == null) {
            group.first = waiter.next;
        } else {
            waiter.previous.next = waiter.next;
        }
        if (waiter.next == null) {
            group.last = waiter.previous;
        } else {
            waiter.next.previous = waiter.previous;
        }
        waiter.group = null;
        waiter.previous = null;
        waiter.next = null;
        size--;
        if (group.first == null) {
            unlink(group);
            groups.remove(group.kind);
        } else if (wasFirst) {
            moveBack(group, group.first.ticket);
        }
    }

    /**
     * The first waiter of the next group.
     *
     * @param waiter the first of its own group; null for the first group
     */
    @Nullable
    Waiter firstOfNextGroup(@Nullable Waiter waiter) {
        Group next = waiter == null ? head : waiter.group == null ? null : waiter.group.next;
        return next == null ? null : next.first;
    }

    /** The distinct filters, in the order of their first waiters; a copy. */
    List<SlotFilter> filters() {
        List<SlotFilter> filters = new ArrayList<>(groups.size());
        for (Waiter next = firstOfNextGroup(null); next != null; next = firstOfNextGroup(next)) {
            filters.add(next.filter());
        }
        return filters;
    }

    /** Moves a group after those whose first waiter came earlier, after its own first waiter was removed. */
    private void moveBack(Group group, long ticket) {
        Group previous = group;
        while (previous.next != null && previous.next.first != null && previous.next.first.ticket < ticket) {
            previous = previous.next;
        }
        if (previous != group) {
            unlink(group);
            insert(group, previous);
        }
    }

    private void unlink(Group group) {
        if (group.previous == null) {
            head = group.next;
        } else {
            group.previous.next = group.next;
        }
        if (group.next == null) {
            tail = group.previous;
        } else {
            group.next.previous = group.previous;
        }
    }

    private void insert(Group group, @Nullable Group previous) {
        Group next = previous == null ? head : previous.next;
        group.previous = previous;
        group.next = next;
        if (previous == null) {
            head = group;
        } else {
            previous.next = group;
        }
        if (next == null) {
            tail = group;
        } else {
            next.previous = group;
        }
    }
}
