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

    /** Lists that one search takes at the most. Two suffice, unless somebody forks or changes his program just then. */
    private static final int LOOKS = 10;

    private final ProcessTree tree;
    private final Predicate<ProcessMark> wanted;
    private final LongFunction<ProcessMark.Look> eyes;

    private final PidCursor cursor = new PidCursor();
    private final Set<Long> settled = new HashSet<>();
    private final Set<Long> listed = new HashSet<>();

    TreeSearch(ProcessTree tree, Predicate<ProcessMark> wanted, LongFunction<ProcessMark.Look> eyes) {
        this.tree = tree;
        this.wanted = wanted;
        this.eyes = eyes;
    }

    /**
     * Looks until a look shows nobody new. A process may fork and exit between being listed and being looked at; the
     * next list has the child.
     *
     * @return whether nobody can have been overlooked
     * @throws UnreadableException if there is no list of processes now
     */
    boolean run() {
        for (int i = 0; i < LOOKS; i++) {
            Set<Long> fresh = ProcessTable.pids();
            settled.removeIf(cursor.passed()); // such a pid may be somebody else's now
            fresh.removeAll(settled);
            if (fresh.isEmpty()) {
                return true;
            }
            listed.addAll(fresh);
            look(fresh);
        }
        return false;
    }

    private void look(Set<Long> fresh) {
        // First the descendants: a parent that dies takes along the only way to a child without a mark.
        Map<Long, Reading<Row>> rows = rows(fresh);
        Set<Long> untold = addDescendants(rows);
        int known = tree.size();
        rows.forEach((pid, row) -> {
            if (row.isGone() || row.value().filter(Row::isBare).isPresent() || lookAt(pid)) {
                settled.add(pid);
            }
        });
        if (tree.size() > known) {
            untold.addAll(addDescendants(rows(listed)));
        }
        settled.removeAll(untold);
    }

    private static Map<Long, Reading<Row>> rows(Set<Long> pids) {
        Map<Long, Reading<Row>> rows = new HashMap<>();
        pids.forEach(pid -> rows.put(pid, ProcessTable.row(pid)));
        return rows;
    }

    /** Adds the process with this pid if it bears a wanted mark; false if that cannot be told now. */
    private boolean lookAt(long pid) {
        try {
            ProcessMark.Look look = eyes.apply(pid);
            if (look.mark().filter(wanted).isEmpty()) {
                return look.sure();
            }
            // Which process it is, and then a second look, for the pid may have changed hands before that.
            Reading<Row> row = ProcessTable.row(pid);
            Optional<ProcessIdentity> process = row.value().map(Row::process);
            if (process.isEmpty()) {
                return row.isGone();
            }
            ProcessMark.Look again = eyes.apply(pid);
            again.mark().filter(wanted).ifPresent(mark -> tree.add(process.get(), mark));
            return again.sure();
        } catch (UnreadableException e) { // whether a mark is wanted cannot be told either
            return false;
        }
    }

    /**
     * Adds the children of members, and theirs. A pid says who may be whose child; that the parent still runs after
     * that was read, says that it is.
     *
     * @return the pids of which that cannot be told now
     */
    private Set<Long> addDescendants(Map<Long, Reading<Row>> rows) {
        Set<Long> untold = new HashSet<>();
        Map<Long, List<Row>> children = new HashMap<>();
        rows.forEach((pid, reading) -> {
            reading.value()
                    .ifPresent(row -> children.computeIfAbsent(row.parent(), parent -> new ArrayList<>())
                            .add(row));
            if (reading.hasFailed()) {
                untold.add(pid);
            }
        });
        Deque<ProcessIdentity> parents = new ArrayDeque<>(tree.members());
        while (!parents.isEmpty()) {
            ProcessIdentity parent = parents.remove();
            List<Row> ofParent = children.getOrDefault(parent.pid(), List.of());
            Liveness liveness = ofParent.isEmpty() ? Liveness.ENDED : parent.liveness();
            for (Row row : ofParent) {
                if (liveness == Liveness.UNKNOWN) {
                    untold.add(row.process().pid());
                } else if (liveness == Liveness.RUNNING && tree.addChild(row.process(), parent)) {
                    parents.add(row.process());
                }
            }
        }
        return untold;
    }
}
