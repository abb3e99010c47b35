package io.github.workerregistry.process;

import io.github.workerregistry.process.ProcessTable.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds the descendants of the known members of a tree before these are signalled: once its parent exits, a child
 * without a mark cannot be found. Uses the kernel's lists of children; a kernel without them
 * ({@code CONFIG_PROC_CHILDREN}) and other systems have a {@link ProcessCache} instead.
 */
final class DescendantFinder {

    private static final boolean LISTED = Proc.listsChildren();

    /** A tree may grow faster than it is read, and a signal waits for the result: some thousand processes. */
    private static final long MAX_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Function<Set<Long>, List<Row>> children;
    private final LongSupplier nanoTime;

    DescendantFinder(ProcessCache processes) {
        this(LISTED ? DescendantFinder::listedChildren : processes::childrenOf, System::nanoTime);
    }

    /**
     * @param children reads the children of processes with these pids; throws {@link UnreadableException} if they
     *     cannot be read now
     */
    DescendantFinder(Function<Set<Long>, List<Row>> children, LongSupplier nanoTime) {
        this.children = children;
        this.nanoTime = nanoTime;
    }

    /**
     * Adds all descendants of the known members.
     *
     * @return false if some cannot be read now, or if there are too many
     */
    boolean addTo(TreeMembers tree) {
        long begun = nanoTime.getAsLong();
        try {
            List<ProcessIdentity> parents = tree.all();
            while (!parents.isEmpty() && nanoTime.getAsLong() - begun < MAX_NANOS) {
                parents = addChildren(tree, parents);
            }
            return parents.isEmpty();
        } catch (UnreadableException e) {
            return false;
        }
    }

    private List<ProcessIdentity> addChildren(TreeMembers tree, List<ProcessIdentity> parents) {
        Map<Long, ProcessIdentity> byPid =
                parents.stream().collect(Collectors.toMap(ProcessIdentity::pid, parent -> parent, (one, other) -> one));
        List<ProcessIdentity> added = new ArrayList<>();
        for (Row row : children.apply(byPid.keySet())) {
            ProcessIdentity parent = byPid.get(row.parent());
            if (parent == null) {
                continue; // it has another parent now
            }
            Reading<Boolean> isChild = row.isChildOf(parent);
            if (isChild.hasFailed()) {
                throw new UnreadableException("process " + row.process().pid(), null);
            }
            if (isChild.value().orElse(false) && tree.addChild(row.process(), parent)) {
                added.add(row.process());
            }
        }
        return added;
    }

    private static List<Row> listedChildren(Set<Long> parents) {
        return parents.stream()
                .flatMap(parent -> valueOf(Proc.children(parent), parent).flatMap(List::stream))
                .flatMap(child -> valueOf(ProcessTable.row(child), child))
                .toList();
    }

    private static <T> Stream<T> valueOf(Reading<T> reading, long pid) {
        if (reading.hasFailed()) {
            throw new UnreadableException("process " + pid, null);
        }
        return reading.value().stream();
    }
}
