package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.SlotRequest.Constraints;
import io.github.workerregistry.internal.Durations;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Waiters in order, higher priority first, then first come, grouped by what they ask for: if the first of a group finds
 * no slot, the others of the group find none either. So serving a queue costs one search per distinct request, however
 * many callers wait.
 *
 * <p>The groups form a list in the order of their first waiters; each group is a list of waiters. Removal allocates
 * nothing: if it failed, the waiter would be served with a slot that is never closed. Not thread-safe.
 */
final class WaitersByRequest {

    private final Map<Kind, Group> groups = new HashMap<>();
    private @Nullable Group head;
    private @Nullable Group tail;
    private long nextTicket;
    private int size;
    private int unconstrained;

    /** What makes waiters equal to the search for a slot. */
    private record Kind(Constraints constraints, int priority, boolean failIfAbsent) {

        static Kind of(Waiter waiter) {
            SlotRequest request = waiter.request();
            return new Kind(request.constraints(), request.priority(), waiter.failsIfAbsent());
        }
    }

    /** Waiters of one kind; empty only while its first waiter is being added. */
    static final class Group {
        private final Kind kind;
        private @Nullable Group previous;
        private @Nullable Group next;
        private @Nullable Waiter first;
        private @Nullable Waiter last;
        private int size;

        private Group(Kind kind) {
            this.kind = kind;
        }

        /** Whether its first waiter is ahead of one with that priority and ticket. */
        private boolean isAhead(int priority, long ticket) {
            return kind.priority > priority || (kind.priority == priority && first != null && first.ticket < ticket);
        }
    }

    int size() {
        return size;
    }

    /** Whether there is a waiter that any worker can serve. */
    boolean hasUnconstrained() {
        return unconstrained > 0;
    }

    /** Adds a waiter after those of its priority. */
    void add(Waiter waiter) {
        Group group = groups.computeIfAbsent(Kind.of(waiter), Group::new);
        waiter.ticket = nextTicket++;
        waiter.group = group;
        waiter.previous = group.last;
        if (group.last == null) {
            group.first = waiter;
            insert(group, lastAhead(group.kind.priority));
        } else {
            group.last.next = waiter;
        }
        group.last = waiter;
        group.size++;
        size++;
        unconstrained += waiter.request().isUnconstrained() ? 1 : 0;
    }

    /** The last group of at least that priority. */
    private @Nullable Group lastAhead(int priority) {
        Group group = tail;
        while (group != null && group.kind.priority < priority) {
            group = group.previous;
        }
        return group;
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
        group.size--;
        size--;
        unconstrained -= waiter.request().isUnconstrained() ? 1 : 0;
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

    /** The distinct constraints, in the order of their first waiters; a copy. */
    List<Constraints> constraints() {
        List<Constraints> all = new ArrayList<>(groups.size());
        for (Group group = head; group != null; group = group.next) {
            all.add(group.kind.constraints);
        }
        return all;
    }

    /** How many wait with each request, see {@link ModelDemand#requests()}. */
    Map<SlotRequest, Integer> countByRequest() {
        Map<SlotRequest, Integer> counts = new LinkedHashMap<>();
        for (Group group = head; group != null; group = group.next) {
            counts.merge(first(group).request().constraintsOnly(), group.size, Integer::sum);
        }
        return counts;
    }

    /** How long the oldest has waited with each request, see {@link ModelDemand#longestWaits()}. */
    Map<SlotRequest, Duration> longestWaitByRequest(long now) {
        Map<SlotRequest, Duration> waits = new LinkedHashMap<>();
        for (Group group = head; group != null; group = group.next) {
            Waiter first = first(group);
            waits.merge(first.request().constraintsOnly(), Duration.ofNanos(now - first.since()), Durations::longer);
        }
        return waits;
    }

    /**
     * When the request began to wait that has waited longest, by {@link Deadlines#now()}; {@code now} if none waits.
     */
    long oldestSince(long now) {
        long oldest = now;
        for (Group group = head; group != null; group = group.next) {
            oldest = Math.min(oldest, first(group).since());
        }
        return oldest;
    }

    /** A copy of all waiters, group by group. */
    List<Waiter> all() {
        List<Waiter> all = new ArrayList<>(size);
        for (Group group = head; group != null; group = group.next) {
            for (Waiter waiter = group.first; waiter != null; waiter = waiter.next) {
                all.add(waiter);
            }
        }
        return all;
    }

    private static Waiter first(Group group) {
        return requireNonNull(group.first);
    }

    /** Number of waiters ahead of this one; -1 if it is not here. */
    int positionOf(Waiter waiter) {
        if (waiter.group == null) {
            return -1;
        }
        int ahead = 0;
        int priority = waiter.request().priority();
        for (Group group = head; group != null && group.isAhead(priority, waiter.ticket); group = group.next) {
            for (Waiter other = group.first; other != null && isAhead(other, waiter); other = other.next) {
                ahead++;
            }
        }
        return ahead;
    }

    private static boolean isAhead(Waiter other, Waiter waiter) {
        int priority = waiter.request().priority();
        int others = other.request().priority();
        return others > priority || (others == priority && other.ticket < waiter.ticket);
    }

    /** Moves a group after those that are ahead of its first waiter, after its previous first waiter was removed. */
    private void moveBack(Group group, long ticket) {
        Group previous = group;
        while (previous.next != null && previous.next.isAhead(group.kind.priority, ticket)) {
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
