package io.github.workerregistry.process;

import static java.util.stream.Collectors.toCollection;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process and what it started in turn, as far as it has been found. Not thread-safe.
 *
 * <p>Members are kept as handles. A handle compares the start time before it signals, so a pid that went to somebody
 * else in the meantime is left alone.
 */
final class ProcessTree {

    private static final Logger log = LoggerFactory.getLogger(ProcessTree.class);

    /** Lists that one search takes at the most. Two suffice, unless somebody forks or changes his program just then. */
    private static final int LOOKS = 10;

    /**
     * Searches in a row that may end unsure: 2 s of polling. A process that shows no environment for so long is no
     * longer waited for.
     */
    private static final int PATIENCE = 20;

    private final ProcessMark mark;
    private final Set<ProcessHandle> members = new HashSet<>();
    private int unsure;

    ProcessTree(ProcessMark mark) {
        this.mark = mark;
    }

    void add(ProcessHandle member) {
        members.add(member);
    }

    /**
     * Looks at every process of this machine, about 20 µs each, and adds those that bear the mark or descend from a
     * member.
     *
     * @return whether nobody can have been overlooked; if not, search again later
     */
    boolean search() {
        try {
            boolean sure = look();
            unsure = sure ? 0 : unsure + 1;
            members.removeIf(member -> !runs(member));
            return sure || unsure >= PATIENCE;
        } catch (RuntimeException e) {
            log.debug("processes of mark {} cannot be searched now", mark.value(), e);
            return false;
        }
    }

    /**
     * Looks until a look shows nobody new. A process may fork and exit between being listed and being looked at; the
     * next list has the child.
     */
    private boolean look() {
        Set<ProcessHandle> settled = new HashSet<>();
        for (int i = 0; i < LOOKS; i++) {
            List<ProcessHandle> fresh = processes();
            fresh.removeAll(settled);
            if (fresh.isEmpty()) {
                return true;
            }
            for (ProcessHandle process : fresh) {
                // First the handle, then its mark: should the pid change hands in between, the handle is a dead one.
                ProcessMark.Finding found = mark.on(process);
                if (found == ProcessMark.Finding.PRESENT) {
                    members.add(process);
                }
                if (found != ProcessMark.Finding.UNKNOWN) {
                    settled.add(process);
                }
            }
            addDescendants(fresh);
        }
        return false;
    }

    private static List<ProcessHandle> processes() {
        List<ProcessHandle> all = ProcessHandle.allProcesses().collect(toCollection(ArrayList::new));
        if (!all.contains(ProcessHandle.current())) {
            throw new IllegalStateException("the list of processes is incomplete: no file descriptor is free");
        }
        return all;
    }

    /** One walk over one snapshot. {@link ProcessHandle#descendants()} would take a snapshot for each member. */
    private void addDescendants(List<ProcessHandle> fresh) {
        Map<ProcessHandle, List<ProcessHandle>> children = new HashMap<>();
        for (ProcessHandle process : fresh) {
            process.parent()
                    .ifPresent(parent -> children.computeIfAbsent(parent, key -> new ArrayList<>())
                            .add(process));
        }
        Deque<ProcessHandle> parents = new ArrayDeque<>(members);
        while (!parents.isEmpty()) {
            for (ProcessHandle child : children.getOrDefault(parents.remove(), List.of())) {
                if (members.add(child)) {
                    parents.add(child);
                }
            }
        }
    }

    /** Looks at the known members only. */
    boolean isAlive() {
        members.removeIf(member -> !runs(member));
        return !members.isEmpty();
    }

    void terminate() {
        members.forEach(ProcessHandle::destroy);
    }

    void kill() {
        members.forEach(ProcessHandle::destroyForcibly);
    }

    /** A zombie does not run, though its handle says that it is alive; who does not reap it is not our concern. */
    static boolean runs(ProcessHandle process) {
        return process.isAlive()
                && Proc.stat(process.pid()).filter(Proc.Stat::isZombie).isEmpty();
    }
}
