package io.github.workerregistry.process;

import static java.util.stream.Collectors.toCollection;

import java.time.Instant;
import java.util.HashSet;
import java.util.Set;

/**
 * The processes of this machine by pid. Creating a {@link ProcessHandle} is slow, so on Linux {@code /proc} is read
 * instead.
 */
final class ProcessTable {

    /**
     * The table row of a process.
     *
     * @param parent the pid of its parent; 0 if it has none
     * @param isBare whether it is known to have no environment: a zombie, or a kernel thread
     * @param image identifies the program that it executes, see {@link StatLine}; {@link #NO_IMAGE} if unknown
     */
    record Row(ProcessIdentity process, long parent, boolean isBare, long image) {
        static final long NO_IMAGE = 0;

        /**
         * Whether this process is a child of that one. Reads it again, because the row may be remembered. A parent pid
         * is valid only if the parent still runs after the pid was read.
         */
        Reading<Boolean> isChildOf(ProcessIdentity other) {
            Reading<Row> now = row(process.pid());
            if (now.hasFailed()) {
                return Reading.failed();
            }
            boolean sameParent = now.value()
                    .filter(row -> row.process.equals(process) && row.parent == other.pid())
                    .isPresent();
            Liveness liveness = sameParent ? other.liveness() : Liveness.ENDED;
            return liveness == Liveness.UNKNOWN ? Reading.failed() : Reading.read(liveness == Liveness.RUNNING);
        }
    }

    private ProcessTable() {}

    /**
     * The pids of all processes, in a new mutable set. Contains every process that runs during the whole call.
     *
     * @throws UnreadableException if the list is incomplete
     */
    static Set<Long> pids() {
        Set<Long> all = Proc.isAvailable()
                ? Proc.pids()
                : ProcessHandle.allProcesses().map(ProcessHandle::pid).collect(toCollection(HashSet::new));
        if (!all.contains(ProcessHandle.current().pid())) {
            throw new UnreadableException("the list of processes, which lacks this JVM,", null);
        }
        return all;
    }

    /** The row of the process that currently has a pid. */
    static Reading<Row> row(long pid) {
        if (!Proc.isAvailable()) {
            return ProcessHandle.of(pid).map(ProcessTable::rowOf).orElseGet(Reading::absent);
        }
        try {
            String boot = Proc.bootId();
            return Proc.stat(pid)
                    .map(stat -> new Row(
                            new ProcessIdentity(pid, stat.startTime(), boot),
                            stat.parent(),
                            stat.isBare(),
                            Row.NO_IMAGE));
        } catch (UnreadableException e) {
            return Reading.failed();
        }
    }

    private static Reading<Row> rowOf(ProcessHandle process) {
        long start = process.info().startInstant().map(Instant::toEpochMilli).orElse(ProcessIdentity.UNKNOWN);
        return Reading.read(new Row(
                new ProcessIdentity(process.pid(), start, ""),
                process.parent().map(ProcessHandle::pid).orElse(0L),
                false,
                Row.NO_IMAGE));
    }
}
