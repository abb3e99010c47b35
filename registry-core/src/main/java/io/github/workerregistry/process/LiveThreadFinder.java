package io.github.workerregistry.process;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/** Finds a live thread of a process whose first thread has ended. */
final class LiveThreadFinder {

    private LiveThreadFinder() {}

    /** The thread as a path under {@code /proc}; absent if all threads, and so the process, are ending. */
    static Reading<String> of(long pid) {
        return among(() -> Proc.otherThreads(pid), Proc::stat);
    }

    /**
     * A thread without memory is ending and starts no thread: if a second list contains only such threads, none is
     * alive.
     *
     * @param list reads the threads
     * @param stat reads the stat of a thread
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
                again.isAbsent() || again.value().filter(ending::containsAll).isPresent();
        return noneLives ? Reading.absent() : Reading.failed();
    }
}
