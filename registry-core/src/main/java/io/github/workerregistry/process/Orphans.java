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

/** What dead hives of one id left behind, as far as it has been found. Serves one reaping; not thread-safe. */
final class Orphans {

    private final String hiveId;

    /** Of this JVM and its ancestors: the workers that it runs in, should it be a worker itself. */
    private final Set<ProcessMark> ownMarks;

    private final ProcessTree trees;
    private final Map<ProcessIdentity, Orphan> found = new LinkedHashMap<>();

    /**
     * Looks who is not to be touched.
     *
     * @throws UnreadableException if that cannot be told now
     */
    Orphans(String hiveId) {
        this.hiveId = hiveId;
        Set<ProcessIdentity> ownLine = ownLine();
        this.ownMarks =
                ownLine.stream().flatMap(process -> markOf(process).stream()).collect(Collectors.toUnmodifiableSet());
        this.trees = new ProcessTree(this::isOrphaned, ownLine);
    }

    /** Whether, after a search of the whole machine, none is left. */
    boolean areGone() {
        boolean complete = trees.searchWithPatience();
        trees.forEach((process, mark) -> Origin.of(mark).ifPresent(origin -> record(process, origin)));
        return complete && !trees.isAlive();
    }

    /** Looks at those that are known only. */
    boolean areAlive() {
        return trees.isAlive();
    }

    /** Whether the signal has come through to all that are known. */
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
     * Also what a worker has started that was a hive itself, under whatever id, and was reaped here.
     *
     * @throws UnreadableException if it cannot be told now
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
                .filter(command -> process.liveness() == Liveness.RUNNING); // else it may be that of another
    }

    private static Optional<ProcessMark> markOf(ProcessIdentity ancestor) {
        ProcessMark.Look look = ProcessMark.lookAt(ancestor.pid());
        if (!look.sure()) {
            throw new UnreadableException("the mark of process " + ancestor.pid(), null);
        }
        return look.mark();
    }

    private static Set<ProcessIdentity> ownLine() {
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
