package io.github.workerregistry.process;

import java.util.function.LongPredicate;
import java.util.function.Predicate;

/**
 * Tracks which pids may have been assigned since the last call. The kernel assigns pids cyclically: the next free one
 * after the last assigned one. If the kernel does not expose the last pid, no pid matches; if it cannot be read now,
 * every pid matches.
 */
final class PidCursor {

    private Reading<Long> last = Proc.lastPid();

    /** The pids that may have been assigned since the last call, or since construction. */
    Predicate<Long> passed() {
        Reading<Long> before = last;
        last = Proc.lastPid();
        return passed(before, last)::test;
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
