package io.github.workerregistry.process;

import static java.util.stream.Collectors.toCollection;

import java.util.HashSet;
import java.util.Set;

/**
 * Who runs on this machine, for searches that look at everybody: pids. A {@link ProcessHandle} costs some 20 µs, in a
 * list of all processes too, so one is made only of a process that matters.
 */
final class ProcessTable {

    private ProcessTable() {}

    /**
     * The pids of all processes. Whoever runs all the time that this takes is there.
     *
     * @throws IllegalStateException if the list is incomplete
     */
    static Set<Long> pids() {
        Set<Long> all = Proc.isAvailable()
                ? Proc.pids()
                : ProcessHandle.allProcesses().map(ProcessHandle::pid).collect(toCollection(HashSet::new));
        if (!all.contains(ProcessHandle.current().pid())) {
            throw new IllegalStateException("the list of processes is incomplete: no file descriptor is free");
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
