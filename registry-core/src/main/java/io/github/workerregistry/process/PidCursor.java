package io.github.workerregistry.process;

import java.util.OptionalLong;
import java.util.function.LongPredicate;
import java.util.function.Predicate;

/**
 * Which pids may have been given out since the last question. The kernel gives them out in a circle: from the one that
 * it gave out last onwards, the next that is free. Where it does not tell that one, none.
 */
final class PidCursor {

    private OptionalLong last = Proc.lastPid();

    /** The pids that may have been given out since this was asked the last time, or was made. */
    Predicate<Long> passed() {
        OptionalLong before = last;
        last = Proc.lastPid();
        LongPredicate between =
                before.isPresent() && last.isPresent() ? between(before.getAsLong(), last.getAsLong()) : pid -> false;
        return between::test;
    }

    /** After the one and up to the other, in the circle. */
    static LongPredicate between(long before, long now) {
        return before <= now ? pid -> pid > before && pid <= now : pid -> pid > before || pid <= now;
    }
}
