package io.github.workerregistry.process;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/** Finds a thread that speaks for a process whose first thread has ended. */
final class LivingThread {

    private LivingThread() {}

    /** As a path under {@code /proc}; gone if all are ending, and the process with them. */
    static Reading<String> of(long pid) {
        return among(() -> Proc.otherThreads(pid), Proc::stat);
    }

    /**
     * A thread without memory is ending, and starts no other one: if a second list has only such, none lives.
     *
     * @param list the threads there are
     * @param stat what one of them shows
     */
    static Reading<String> among(Supplier<Reading<List<String>>> list, Function<String, Reading<Proc.Stat>> stat) {
        Reading<List<String>> threads = list.get();
        Set<String> ending = new HashSet<>();
        for (String thread : threads.value().orElse(List.of())) {
            Reading<Proc.Stat> shown = stat.apply(thread);
            if (shown.value().filter(now -> now.memory() > 0).isPresent()) {
                return Reading.read(thread);
            }
            shown.value().ifPresent(now -> ending.add(thread));
        }
        Reading<List<String>> again = threads.value().isPresent() ? list.get() : threads;
        boolean noneLives =
                again.isGone() || again.value().filter(ending::containsAll).isPresent();
        return noneLives ? Reading.gone() : Reading.failed();
    }
}
