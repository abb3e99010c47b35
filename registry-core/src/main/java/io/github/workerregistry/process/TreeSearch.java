package io.github.workerregistry.process;

import io.github.workerregistry.process.ProcessTable.Row;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.function.Predicate;

/** One search of the whole machine for the members of a {@link ProcessTree}. */
final class TreeSearch {

    /** Maximum number of passes of one search. Two suffice, unless a process forks or executes a program meanwhile. */
    private static final int MAX_PASSES = 10;

    private final ProcessTree tree;
    private final Predicate<ProcessMark> wanted;
    private final LongFunction<ProcessMark.Observation> markReader;

    private final PidCursor cursor = new PidCursor();
    private final Set<Long> settled = new HashSet<>();
    private final Set<Long> listed = new HashSet<>();

    TreeSearch(ProcessTree tree, Predicate<ProcessMark> wanted, LongFunction<ProcessMark.Observation> markReader) {
        this.tree = tree;
        this.wanted = wanted;
        this.markReader = markReader;
    }

    /**
     * Repeats until a pass finds no new process. A process may fork and exit between being listed and being read; the
     * next list contains the child.
     *
     * @return whether all processes were read
     * @throws UnreadableException if the list of processes cannot be read now
     */
    boolean run() {
        for (int i = 0; i < MAX_PASSES; i++) {
            Set<Long> fresh = ProcessTable.pids();
            settled.removeIf(cursor.passed()); // such a pid may have been reused
            fresh.removeAll(settled);
            if (fresh.isEmpty()) {
                return true;
            }
            listed.addAll(fresh);
            scan(fresh);
        }
        return false;
    }

    private void scan(Set<Long> fresh) {
        // Descendants first: once its parent exits, a child without a mark cannot be found.
        Map<Long, Reading<Row>> rows = rows(fresh);
        Set<Long> unknown = addDescendants(rows);
        int known = tree.size();
        rows.forEach((pid, row) -> {
            if (row.isAbsent() || row.value().filter(Row::isBare).isPresent() || addIfMarked(pid)) {
                settled.add(pid);
            }
        });
        if (tree.size() > known) {
            unknown.addAll(addDescendants(rows(listed)));
        }
        settled.removeAll(unknown);
    }

    private static Map<Long, Reading<Row>> rows(Set<Long> pids) {
        Map<Long, Reading<Row>> rows = new HashMap<>();
        pids.forEach(pid -> rows.put(pid, ProcessTable.row(pid)));
        return rows;
    }

    /** Adds the process with this pid if it has a wanted mark; false if that cannot be determined now. */
    private boolean addIfMarked(long pid) {
        try {
            ProcessMark.Observation observed = markReader.apply(pid);
            if (observed.mark().filter(wanted).isEmpty()) {
                return observed.sure();
            }
            // Reads the identity and then the mark again, because the pid may have been reused before.
            Reading<Row> row = ProcessTable.row(pid);
            Optional<ProcessIdentity> process = row.value().map(Row::process);
            if (process.isEmpty()) {
                return row.isAbsent();
            }
            ProcessMark.Observation again = markReader.apply(pid);
            again.mark().filter(wanted).ifPresent(mark -> tree.add(process.get(), mark));
            return again.sure();
        } catch (UnreadableException e) { // whether the mark is wanted cannot be determined either
            return false;
        }
    }

    /**
     * Adds all descendants of members. A parent pid is valid only if the parent still runs after the pid was read.
     *
     * @return the pids for which that cannot be determined now
     */
    private Set<Long> addDescendants(Map<Long, Reading<Row>> rows) {
        Set<Long> unknown = new HashSet<>();
        Map<Long, List<Row>> children = new HashMap<>();
        rows.forEach((pid, reading) -> {
            reading.value()
                    .ifPresent(row -> children.computeIfAbsent(row.parent(), parent -> new ArrayList<>())
                            .add(row));
            if (reading.hasFailed()) {
                unknown.add(pid);
            }
        });
        Deque<ProcessIdentity> parents = new ArrayDeque<>(tree.members());
        while (!parents.isEmpty()) {
            ProcessIdentity parent = parents.remove();
            List<Row> childRows = children.getOrDefault(parent.pid(), List.of());
            Liveness liveness = childRows.isEmpty() ? Liveness.ENDED : parent.liveness();
            for (Row row : childRows) {
                if (liveness == Liveness.UNKNOWN) {
                    unknown.add(row.process().pid());
                } else if (liveness == Liveness.RUNNING && tree.addChild(row.process(), parent)) {
                    parents.add(row.process());
                }
            }
        }
        return unknown;
    }
}
