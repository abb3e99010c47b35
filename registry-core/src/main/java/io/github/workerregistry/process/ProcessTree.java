package io.github.workerregistry.process;

import io.github.workerregistry.LogText;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Processes that bear a mark, and what they started in turn, as far as it has been found. Not thread-safe.
 *
 * <p>Members are kept as handles. A handle compares the start time before it signals, so a pid that went to somebody
 * else in the meantime is left alone.
 */
final class ProcessTree {

    private static final Logger log = LoggerFactory.getLogger(ProcessTree.class);

    /** Lists that one search takes at the most. Two suffice, unless somebody forks or changes his program just then. */
    private static final int LOOKS = 10;

    /** For so long searches may end unsure. Then a process that shows no environment is no longer waited for. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** And at least so many in a row: on a loaded machine each takes long, and may meet another such process. */
    private static final int LEAST_UNSURE = 5;

    private final Predicate<ProcessMark> wanted;
    private final Set<ProcessHandle> spared;
    private final LongFunction<ProcessMark.Look> eyes;
    private final LongSupplier nanoTime;

    /** Each with the mark by which it belongs: its own, or that of the parent through which it was found. */
    private final Map<ProcessHandle, ProcessMark> members = new LinkedHashMap<>();

    private int unsureInARow;
    private long unsureSince;

    /** The tree of one start. */
    ProcessTree(ProcessMark mark) {
        this(mark, ProcessMark::lookAt, System::nanoTime);
    }

    /** The same, seen through other eyes: a test shows by them what lasts microseconds. */
    ProcessTree(ProcessMark mark, LongFunction<ProcessMark.Look> eyes, LongSupplier nanoTime) {
        this(mark::equals, Set.of(), eyes, nanoTime);
    }

    /**
     * The trees of many starts.
     *
     * @param wanted which marks make a member
     * @param spared who never becomes one
     */
    ProcessTree(Predicate<ProcessMark> wanted, Set<ProcessHandle> spared) {
        this(wanted, spared, ProcessMark::lookAt, System::nanoTime);
    }

    private ProcessTree(
            Predicate<ProcessMark> wanted,
            Set<ProcessHandle> spared,
            LongFunction<ProcessMark.Look> eyes,
            LongSupplier nanoTime) {
        this.wanted = wanted;
        this.spared = spared;
        this.eyes = eyes;
        this.nanoTime = nanoTime;
    }

    /** Adds a member; false if it is one already, or is spared. */
    boolean add(ProcessHandle member, ProcessMark mark) {
        return !spared.contains(member) && members.putIfAbsent(member, mark) == null;
    }

    void forEach(BiConsumer<ProcessHandle, ProcessMark> visitor) {
        members.forEach(visitor);
    }

    /**
     * Looks at every process of this machine, about 10 µs each (20 if there are members), and adds those that bear a
     * wanted mark or descend from a member.
     *
     * @return whether nobody can have been overlooked
     */
    boolean search() {
        return guarded(this::searchAll);
    }

    /**
     * Searches for one who polls until nobody can have been overlooked, and who has to come to an end.
     *
     * @return whether that is so, or was not for so long that it is believed; if not, search again later
     */
    boolean searchWithPatience() {
        return guarded(() -> searchAll() || isUnsureForTooLong());
    }

    /** A search that fails has seen nobody: it is not sure, and not believed however often it comes. */
    private static boolean guarded(BooleanSupplier search) {
        try {
            return search.getAsBoolean();
        } catch (RuntimeException e) {
            log.debug("processes cannot be searched now", LogText.of(e));
            return false;
        }
    }

    private boolean searchAll() {
        boolean sure = look();
        members.keySet().removeIf(member -> !runs(member));
        if (sure) {
            unsureInARow = 0;
        }
        return sure;
    }

    private boolean isUnsureForTooLong() {
        long now = nanoTime.getAsLong();
        if (unsureInARow++ == 0) {
            unsureSince = now;
        }
        return unsureInARow >= LEAST_UNSURE && now - unsureSince >= PATIENCE.toNanos();
    }

    /**
     * Looks until a look shows nobody new. A process may fork and exit between being listed and being looked at; the
     * next list has the child.
     */
    private boolean look() {
        PidCursor cursor = new PidCursor();
        Set<Long> settled = new HashSet<>();
        Set<Long> listed = new HashSet<>();
        for (int i = 0; i < LOOKS; i++) {
            Set<Long> fresh = ProcessTable.pids();
            settled.removeIf(cursor.passed()); // such a pid may be somebody else's now
            fresh.removeAll(settled);
            if (fresh.isEmpty()) {
                return true;
            }
            listed.addAll(fresh);
            addDescendants(listed); // first: a parent that dies takes along the only way to a child without a mark
            int known = members.size();
            for (long pid : fresh) {
                if (lookAt(pid)) {
                    settled.add(pid);
                }
            }
            if (members.size() > known) {
                addDescendants(listed);
            }
        }
        return false;
    }

    /** Adds the process with this pid if it bears a wanted mark; false if that cannot be told now. */
    private boolean lookAt(long pid) {
        ProcessMark.Look look = eyes.apply(pid);
        if (look.mark().filter(wanted).isEmpty()) {
            return look.sure();
        }
        // It matters, so it gets a handle; then a second look, for the pid may have changed hands before that.
        // If it does so later, the handle is a dead one.
        Optional<ProcessHandle> process = ProcessHandle.of(pid);
        if (process.isEmpty()) {
            return Proc.isGone(pid); // or no file descriptor was free
        }
        ProcessMark.Look again = eyes.apply(pid);
        again.mark().filter(wanted).ifPresent(mark -> add(process.get(), mark));
        return again.sure();
    }

    /**
     * One list of parents for all members; {@link ProcessHandle#descendants()} would make one for each. Pids say who
     * may be whose child; handles, which know start times, who is.
     */
    private void addDescendants(Set<Long> listed) {
        if (members.isEmpty()) {
            return;
        }
        Map<Long, List<Long>> children = listed.stream().collect(Collectors.groupingBy(ProcessTable::parentOf));
        Deque<ProcessHandle> parents = new ArrayDeque<>(members.keySet());
        while (!parents.isEmpty()) {
            ProcessHandle parent = parents.remove();
            ProcessMark mark = members.get(parent);
            for (long pid : children.getOrDefault(parent.pid(), List.of())) {
                Optional<ProcessHandle> child = ProcessHandle.of(pid)
                        .filter(process ->
                                process.parent().filter(parent::equals).isPresent());
                if (child.isPresent() && mark != null && add(child.get(), mark)) {
                    parents.add(child.get());
                }
            }
        }
    }

    /** Looks at the known members only. */
    boolean isAlive() {
        members.keySet().removeIf(member -> !runs(member));
        return !members.isEmpty();
    }

    void terminate() {
        members.keySet().forEach(ProcessHandle::destroy);
    }

    void kill() {
        members.keySet().forEach(ProcessHandle::destroyForcibly);
    }

    /** A zombie does not run, though its handle says that it is alive; who does not reap it is not our concern. */
    static boolean runs(ProcessHandle process) {
        return process.isAlive()
                && Proc.stat(process.pid()).filter(Proc.Stat::isZombie).isEmpty();
    }
}
