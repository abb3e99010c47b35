package io.github.workerregistry.process;

import io.github.workerregistry.process.OrphanReport.Orphan;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What dead hives of one id left behind, as far as it has been found. Serves one reaping; not thread-safe. */
final class Orphans {

    private final String hiveId;

    /** Of this JVM and its ancestors: the workers that it runs in, should it be a worker itself. */
    private final Set<ProcessMark> ownMarks;

    private final ProcessTree trees;
    private final Map<ProcessHandle, Orphan> found = new LinkedHashMap<>();
    private final Set<ProcessIdentity> identities = new HashSet<>();

    Orphans(String hiveId) {
        this.hiveId = hiveId;
        Set<ProcessHandle> ownLine = ownLine();
        this.ownMarks = ownLine.stream()
                .flatMap(process -> ProcessMark.lookAt(process.pid()).mark().stream())
                .collect(Collectors.toUnmodifiableSet());
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

    void kill() {
        trees.kill();
    }

    List<Orphan> ended() {
        return list(false);
    }

    List<Orphan> remaining() {
        return list(true);
    }

    private List<Orphan> list(boolean running) {
        return found.entrySet().stream()
                .filter(entry -> ProcessTree.runs(entry.getKey()) == running)
                .map(Map.Entry::getValue)
                .toList();
    }

    /** Also what a worker has started that was a hive itself, under whatever id, and was reaped here. */
    private boolean isOrphaned(ProcessMark mark) {
        return !ownMarks.contains(mark)
                && Origin.of(mark)
                        .filter(origin -> origin.hiveId().equals(hiveId) || identities.contains(origin.hive()))
                        .filter(Origin::isOrphaned)
                        .isPresent();
    }

    private void record(ProcessHandle process, Origin origin) {
        if (!found.containsKey(process)) {
            ProcessIdentity identity = ProcessIdentity.of(process);
            Optional<String> command = process.info().command();
            found.put(process, new Orphan(identity, origin.hive(), origin.workerId(), command));
            identities.add(identity);
        }
    }

    private static Set<ProcessHandle> ownLine() {
        return Stream.iterate(
                        Optional.of(ProcessHandle.current()),
                        Optional::isPresent,
                        process -> process.flatMap(ProcessHandle::parent))
                .flatMap(Optional::stream)
                .collect(Collectors.toUnmodifiableSet());
    }
}
