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
 * Waiters in the order of their arrival, grouped by what they ask for: where the first of a group finds nothing, those
 * behind it with the same filter find nothing either. So to serve a queue costs as much as there are different filters
 * in it, however many callers wait.
 *
 * <p>The groups are a list in the order of their first waiters, and each is a list of waiters. To leave takes no
 * memory: a waiter that could not be removed would be given a slot that nobody closes. Not thread-safe.
 */
final class WaitersByFilter {

    private static final Kind ANY = new Kind(SlotFilter.any());

    private final Map<Kind, Group> groups = new HashMap<>();
    private @Nullable Group head;
    private @Nullable Group tail;
    private long nextTicket;
    private int size;

    /** What a filter asks for. A predicate is told from others by its identity: its {@code equals} is foreign code. */
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
        @SuppressWarnings("ReferenceEquality") // on purpose, see above
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

    /** Waiters with the same filter; never empty but while its first one joins. */
    static final class Group {
        private final Kind kind;
        private @Nullable Group before;
        private @Nullable Group behind;
        private @Nullable Waiter first;
        private @Nullable Waiter last;

        private Group(Kind kind) {
            this.kind = kind;
        }
    }

    int size() {
        return size;
    }

    /** Whether somebody waits for any worker. */
    boolean hasOneForAny() {
        return groups.containsKey(ANY);
    }

    /** Adds a waiter at the end. */
    void add(Waiter waiter) {
        Group group = groups.computeIfAbsent(new Kind(waiter.filter()), Group::new);
        waiter.ticket = nextTicket++;
        waiter.group = group;
        waiter.before = group.last;
        if (group.last == null) {
            group.first = waiter;
            insert(group, tail);
        } else {
            group.last.behind = waiter;
        }
        group.last = waiter;
        size++;
    }

    /** Removes a waiter, if it is here. */
    void remove(Waiter waiter) {
        Group group = waiter.group;
        if (group == null) {
            return;
        }
        boolean wasFirst = waiter.before == null;
        if (waiter.before == null) {
            group.first = waiter.behind;
        } else {
            waiter.before.behind = waiter.behind;
        }
        if (waiter.behind == null) {
            group.last = waiter.before;
        } else {
            waiter.behind.before = waiter.before;
        }
        waiter.group = null;
        waiter.before = null;
        waiter.behind = null;
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
     * @param waiter the first of its own group; null for the very first group
     */
    @Nullable
    Waiter firstOfGroupBehind(@Nullable Waiter waiter) {
        Group next = waiter == null ? head : waiter.group == null ? null : waiter.group.behind;
        return next == null ? null : next.first;
    }

    /** The different filters, in the order of their first waiters; a copy. */
    List<SlotFilter> filters() {
        List<SlotFilter> filters = new ArrayList<>(groups.size());
        for (Waiter next = firstOfGroupBehind(null); next != null; next = firstOfGroupBehind(next)) {
            filters.add(next.filter());
        }
        return filters;
    }

    /** Its first waiter has left, and the one behind that is later: so may be other groups. */
    private void moveBack(Group group, long ticket) {
        Group before = group;
        while (before.behind != null && before.behind.first != null && before.behind.first.ticket < ticket) {
            before = before.behind;
        }
        if (before != group) {
            unlink(group);
            insert(group, before);
        }
    }

    private void unlink(Group group) {
        if (group.before == null) {
            head = group.behind;
        } else {
            group.before.behind = group.behind;
        }
        if (group.behind == null) {
            tail = group.before;
        } else {
            group.behind.before = group.before;
        }
    }

    private void insert(Group group, @Nullable Group before) {
        Group behind = before == null ? head : before.behind;
        group.before = before;
        group.behind = behind;
        if (before == null) {
            head = group;
        } else {
            before.behind = group;
        }
        if (behind == null) {
            tail = group;
        } else {
            behind.before = group;
        }
    }
}
