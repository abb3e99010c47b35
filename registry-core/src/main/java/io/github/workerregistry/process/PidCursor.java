package io.github.workerregistry.process;

import java.util.Set;
import java.util.function.LongPredicate;
import java.util.function.Predicate;

/**
 * Tracks which pids may have been assigned since the last call. The kernel assigns pids cyclically: the next free one
 * after the last assigned one. If the kernel does not expose the last pid, no pid matches; if it cannot be read now,
 * every pid matches.
 */
final class PidCursor {

    private Reading<Long> before = Reading.absent();
    private Reading<Long> last = Proc.lastPid();
    private boolean moved = true;

    /** The pids that may have been assigned since the last call, or since construction. */
    Predicate<Long> passed() {
        before = last;
        last = Proc.lastPid();
        moved = !isKnown() || !last.equals(before);
        return passed(before, last)::test;
    }

    /** Whether a pid may have been assigned between the last two calls. */
    boolean hasMoved() {
        return moved;
    }

    /** Whether the last assigned pid is exposed and could be read. */
    boolean isKnown() {
        return last.value().isPresent();
    }

    /**
     * Adds the pids that may have been assigned between the last two calls.
     *
     * @return false, and none is added, if there are more than {@code atMost}, or they are unknown
     */
    boolean addPassedTo(Set<Long> pids, int atMost) {
        long first = before.value().orElse(Long.MAX_VALUE);
        long next = last.value().orElse(-1L);
        if (next < first || next - first > atMost) {
            return false;
        }
        for (long pid = first + 1; pid <= next; pid++) {
            pids.add(pid);
        }
        return true;
    }

    static LongPredicate passed(Reading<Long> before, Reading<Long> now) {
        if (before.hasFailed() || now.hasFailed()) {
            return pid -> true;
        }
        return before.value()
                .flatMap(first -> now.value().map(next -> between(first, next)))
                .orElse(pid -> false);
    }

    /** The cyclic interval ({@code before}, {@code now}]. */
    static LongPredicate between(long before, long now) {
        return before <= now ? pid -> pid > before && pid <= now : pid -> pid > before || pid <= now;
    }
}
