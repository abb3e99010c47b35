package io.github.workerregistry.process;

import static java.util.stream.Collectors.toCollection;

import java.util.HashSet;
import java.util.Set;

/**
 * The pids of the processes of this machine, and of their parents. A {@link ProcessHandle} costs about 20 µs, also
 * where the JDK lists them all; so one is made only of a process that matters.
 */
final class ProcessTable {

    private ProcessTable() {}

    /**
     * The pids of all processes, in a set of the caller's own. Whoever runs all the time that this takes is there.
     *
     * @throws IllegalStateException if the list is incomplete
     */
    static Set<Long> pids() {
        Set<Long> all = Proc.isAvailable()
                ? Proc.pids()
                : ProcessHandle.allProcesses().map(ProcessHandle::pid).collect(toCollection(HashSet::new));
        if (!all.contains(ProcessHandle.current().pid())) {
            throw new IllegalStateException("the list of processes lacks this JVM: it cannot be read now");
        }
        return all;
    }

    /** The pid of the parent of the process that has a pid now; 0 if it has none, or has gone. */
    static long parentOf(long pid) {
        return Proc.isAvailable()
                ? Proc.stat(pid).map(Proc.Stat::parent).orElse(0L)
                : ProcessHandle.of(pid)
                        .flatMap(ProcessHandle::parent)
                        .map(ProcessHandle::pid)
                        .orElse(0L);
    }
}
