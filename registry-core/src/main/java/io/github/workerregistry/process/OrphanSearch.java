package io.github.workerregistry.process;

import io.github.workerregistry.process.OrphanReport.Orphan;
import io.github.workerregistry.process.ProcessTable.Row;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The orphans of one hive id that have been found. Used for one reaping; not thread-safe. */
final class OrphanSearch {

    private final String hiveId;

    /** The marks of this JVM and its ancestors, which are set if this JVM runs in a worker. */
    private final Set<ProcessMark> ownMarks;

    private final ProcessTree trees;
    private final Map<ProcessIdentity, Orphan> found = new LinkedHashMap<>();

    /**
     * Determines the processes that must not be killed.
     *
     * @throws UnreadableException if they cannot be read now
     */
    OrphanSearch(String hiveId) {
        this.hiveId = hiveId;
        Set<ProcessIdentity> ancestry = ancestry();
        this.ownMarks =
                ancestry.stream().flatMap(process -> markOf(process).stream()).collect(Collectors.toUnmodifiableSet());
        this.trees = new ProcessTree(this::isOrphaned, ancestry);
    }

    /** Searches the whole machine; returns whether no orphan is left. */
    boolean allExited() {
        boolean complete = trees.searchConclusively();
        trees.forEach((process, mark) -> Origin.of(mark).ifPresent(origin -> record(process, origin)));
        return complete && !trees.isAlive();
    }

    /** Checks only the known orphans. */
    boolean anyAlive() {
        return trees.isAlive();
    }

    /** Kills the known orphans; returns whether all were signalled. */
    boolean kill() {
        return trees.signal(Signal.KILL);
    }

    List<Orphan> ended() {
        return list(true);
    }

    List<Orphan> remaining() {
        return list(false);
    }

    private List<Orphan> list(boolean ended) {
        return found.values().stream()
                .filter(orphan -> orphan.process().hasEnded() == ended)
                .toList();
    }

    /**
     * Also true for workers of a reaped worker that was a hive itself, under any id.
     *
     * @throws UnreadableException if it cannot be determined now
     */
    private boolean isOrphaned(ProcessMark mark) {
        return !ownMarks.contains(mark)
                && Origin.of(mark)
                        .filter(origin -> origin.hiveId().equals(hiveId) || found.containsKey(origin.hive()))
                        .filter(Origin::isOrphaned)
                        .isPresent();
    }

    private void record(ProcessIdentity process, Origin origin) {
        found.computeIfAbsent(
                process, orphan -> new Orphan(orphan, origin.hive(), origin.workerId(), commandOf(orphan)));
    }

    private static Optional<String> commandOf(ProcessIdentity process) {
        return ProcessHandle.of(process.pid())
                .flatMap(handle -> handle.info().command())
                .filter(command -> process.liveness() == Liveness.RUNNING); // else it may be that of another process
    }

    private static Optional<ProcessMark> markOf(ProcessIdentity ancestor) {
        ProcessMark.Observation observed = ProcessMark.observe(ancestor.pid());
        if (!observed.sure()) {
            throw new UnreadableException("the mark of process " + ancestor.pid(), null);
        }
        return observed.mark();
    }

    private static Set<ProcessIdentity> ancestry() {
        Set<ProcessIdentity> line = new LinkedHashSet<>();
        long pid = ProcessHandle.current().pid();
        while (pid > 0) {
            Reading<Row> reading = ProcessTable.row(pid);
            if (reading.hasFailed()) {
                throw new UnreadableException("process " + pid + ", from which this JVM descends,", null);
            }
            reading.value().ifPresent(row -> line.add(row.process()));
            pid = reading.value().map(Row::parent).orElse(0L);
        }
        return line;
    }
}
