package io.github.workerregistry.process;

import java.util.function.LongPredicate;
import java.util.function.Predicate;

/**
 * Which pids may have been given out since the last question. The kernel gives them out in a circle: from the one that
 * it gave out last onwards, the next that is free. Where it does not tell that one, none; where that cannot be read
 * now, each.
 */
final class PidCursor {

    private Reading<Long> last = Proc.lastPid();

    /** The pids that may have been given out since this was asked the last time, or was made. */
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

    /** After the one and up to the other, in the circle. */
    static LongPredicate between(long before, long now) {
        return before <= now ? pid -> pid > before && pid <= now : pid -> pid > before || pid <= now;
    }
}
