package io.github.workerregistry.process;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The inodes of the sockets that a process has open. */
final class HeldSockets {

    private HeldSockets() {}

    /** The sockets of a process; absent if it has exited. */
    static Reading<Set<Long>> of(ProcessIdentity process) {
        long pid = process.pid();
        boolean inOtherThreads =
                Proc.stat(pid).value().filter(Proc.Stat::livesInOtherThreads).isPresent();
        Reading<Set<Long>> held = inOtherThreads ? ofOtherThreads(pid) : Proc.sockets(Long.toString(pid));
        return process.hasEnded() ? Reading.absent() : held; // checked last: the pid may have been reused meanwhile
    }

    /** An ended thread shows no sockets; threads may end while they are read. */
    private static Reading<Set<Long>> ofOtherThreads(long pid) {
        Reading<List<String>> threads = Proc.otherThreads(pid);
        Set<Long> all = new HashSet<>();
        boolean read = false;
        Reading<Set<Long>> last = threads.map(none -> Set.of());
        for (String thread : threads.value().orElse(List.of())) {
            last = Proc.sockets(thread);
            last.value().ifPresent(all::addAll);
            read |= last.value().isPresent();
        }
        return read ? Reading.read(all) : last;
    }
}
