package io.github.workerregistry.process;

import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.ProcessTable.Row;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One search of the whole machine for the members of one or more trees. */
final class TreeSearch {

    /** Whether a search found all members. */
    enum Result {
        /** All members were found. */
        COMPLETE,
        /** Members may have been missed, because processes changed during the search. */
        UNSURE,
        /** The processes of this machine cannot be read now. */
        FAILED
    }

    private static final Logger log = LoggerFactory.getLogger(TreeSearch.class);

    /** Maximum number of passes of one search. Two suffice, unless a process forks or executes a program meanwhile. */
    private static final int MAX_PASSES = 10;

    private final ProcessCache processes;
    private final Collection<TreeMembers> trees;
    private final Function<ProcessMark, Collection<TreeMembers>> treesOf;

    private final PidCursor cursor = new PidCursor();
    private final Set<Long> settled = new HashSet<>();
    private final Set<Long> listed = new HashSet<>();

    /**
     * @param trees receive the members
     * @param treesOf those of the trees that a process with a mark belongs to; throws {@link UnreadableException} if
     *     that cannot be determined now
     */
    TreeSearch(
            ProcessCache processes,
            Collection<TreeMembers> trees,
            Function<ProcessMark, Collection<TreeMembers>> treesOf) {
        this.processes = processes;
        this.trees = trees;
        this.treesOf = treesOf;
    }

    /** Searches; the trees contain what was found before a failure, too. */
    Result run() {
        try {
            boolean sure = readAll();
            if (!sure && !canReadProcesses()) {
                throw new UnreadableException("the mark of a process", null);
            }
            return sure ? Result.COMPLETE : Result.UNSURE;
        } catch (RuntimeException | OutOfMemoryError e) {
            log.debug("processes cannot be searched now", LogText.of(e));
            return Result.FAILED;
        }
    }

    /** Distinguishes an unreadable process from a resource shortage that makes every process unreadable. */
    private static boolean canReadProcesses() {
        return !Proc.isAvailable() || Proc.canBeRead();
    }

    /**
     * Repeats until a pass finds no new process. A process may fork and exit between being listed and being read; the
     * next list contains the child.
     *
     * @return whether all processes were read
     * @throws UnreadableException if the list of processes cannot be read now
     */
    private boolean readAll() {
        for (int i = 0; i < MAX_PASSES; i++) {
            Set<Long> fresh = processes.pids();
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
        int known = foundCount();
        rows.forEach((pid, row) -> {
            if (row.isAbsent() || row.value().filter(Row::isBare).isPresent() || addIfMarked(pid)) {
                settled.add(pid);
            }
        });
        if (foundCount() > known) {
            unknown.addAll(addDescendants(rows(listed)));
        }
        settled.removeAll(unknown);
    }

    private int foundCount() {
        return trees.stream().mapToInt(tree -> tree.found().size()).sum();
    }

    private Map<Long, Reading<Row>> rows(Set<Long> pids) {
        Map<Long, Reading<Row>> rows = new HashMap<>();
        pids.forEach(pid -> rows.put(pid, processes.row(pid)));
        return rows;
    }

    /** Adds the process with this pid if it has a wanted mark; false if that cannot be determined now. */
    private boolean addIfMarked(long pid) {
        try {
            ProcessMark.Observation observed = processes.mark(pid);
            if (observed.mark()
                    .map(treesOf)
                    .filter(wanting -> !wanting.isEmpty())
                    .isEmpty()) {
                return observed.sure();
            }
            // Reads the identity and then the mark again, because the pid may have been reused before.
            Reading<Row> row = ProcessTable.row(pid);
            Optional<ProcessIdentity> process = row.value().map(Row::process);
            if (process.isEmpty()) {
                return row.isAbsent();
            }
            ProcessMark.Observation again = processes.markNow(pid);
            again.mark().ifPresent(mark -> treesOf.apply(mark).forEach(tree -> tree.add(process.get(), mark)));
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
        rows.forEach((pid, reading) -> {
            if (reading.hasFailed()) {
                unknown.add(pid);
            }
        });
        if (trees.stream().allMatch(TreeMembers::isEmpty)) {
            return unknown;
        }
        Map<Long, List<Row>> children = new HashMap<>();
        rows.values()
                .forEach(reading -> reading.value()
                        .ifPresent(row -> children.computeIfAbsent(row.parent(), parent -> new ArrayList<>())
                                .add(row)));
        trees.forEach(tree -> addDescendants(tree, children, unknown));
        return unknown;
    }

    private static void addDescendants(TreeMembers tree, Map<Long, List<Row>> children, Set<Long> unknown) {
        Deque<ProcessIdentity> parents = new ArrayDeque<>(tree.all());
        while (!parents.isEmpty()) {
            ProcessIdentity parent = parents.remove();
            for (Row row : children.getOrDefault(parent.pid(), List.of())) {
                Reading<Boolean> isChild = row.isChildOf(parent);
                if (isChild.hasFailed()) {
                    unknown.add(row.process().pid());
                } else if (isChild.value().orElse(false) && tree.addChild(row.process(), parent)) {
                    parents.add(row.process());
                }
            }
        }
    }
}
