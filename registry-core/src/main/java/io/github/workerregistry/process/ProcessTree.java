package io.github.workerregistry.process;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The known processes with a mark, and their known descendants. Not thread-safe.
 *
 * <p>Members are identified by pid and start time, so a process that reuses a pid is never signalled. A process remains
 * a member until it has exited for certain, even if its state cannot be read.
 */
final class ProcessTree {

    private final Predicate<ProcessMark> wanted;
    private final Set<ProcessIdentity> excluded;
    private final Supplier<ProcessCache> processes;
    private final UnsureSearches unsure;
    private final Map<ProcessIdentity, Member> members = new LinkedHashMap<>();

    private static final class Member {
        /** Its own mark, or that of the parent through which it was found. */
        final ProcessMark mark;

        /** The strongest signal delivered. */
        @Nullable
        Signal received;

        /** Whether it is not stopped, or was resumed after the signal. */
        boolean resumed;

        Member(ProcessMark mark) {
            this.mark = mark;
        }

        boolean hasReceived(Signal signal) {
            return received != null && received.compareTo(signal) >= 0;
        }
    }

    /** Creates the tree of one start. */
    ProcessTree(ProcessMark mark) {
        this(mark::equals, Set.of());
    }

    /** For tests: replaces the reader of marks, to simulate states that last microseconds. */
    ProcessTree(ProcessMark mark, LongFunction<ProcessMark.Observation> markReader, LongSupplier nanoTime) {
        this(mark::equals, Set.of(), () -> new ProcessCache(markReader), nanoTime);
    }

    /**
     * Creates the trees of many starts.
     *
     * @param wanted which marks make a process a member; throws {@link UnreadableException} if that cannot be
     *     determined now
     * @param excluded processes that never become members
     */
    ProcessTree(Predicate<ProcessMark> wanted, Set<ProcessIdentity> excluded) {
        this(wanted, excluded, ProcessCache::new, System::nanoTime);
    }

    private ProcessTree(
            Predicate<ProcessMark> wanted,
            Set<ProcessIdentity> excluded,
            Supplier<ProcessCache> processes,
            LongSupplier nanoTime) {
        this.wanted = wanted;
        this.excluded = excluded;
        this.processes = processes;
        this.unsure = new UnsureSearches(nanoTime);
    }

    /** Adds a member; false if it is already a member or is excluded. */
    boolean add(ProcessIdentity member, ProcessMark mark) {
        return !excluded.contains(member) && members.putIfAbsent(member, new Member(mark)) == null;
    }

    /** Adds the child of a member. */
    boolean addChild(ProcessIdentity child, ProcessIdentity parent) {
        Member known = members.get(parent);
        return known != null && add(child, known.mark);
    }

    List<ProcessIdentity> members() {
        return List.copyOf(members.keySet());
    }

    void forEach(BiConsumer<ProcessIdentity, ProcessMark> visitor) {
        members.forEach((process, member) -> visitor.accept(process, member.mark));
    }

    /** The known members, for a search. */
    TreeMembers forSearch() {
        removeExited();
        Map<ProcessIdentity, ProcessMark> known = new LinkedHashMap<>();
        forEach(known::put);
        return new TreeMembers(known, excluded);
    }

    /** Adds what a search has found. */
    void addFound(TreeMembers searched) {
        searched.found().forEach(this::add);
        removeExited();
    }

    /**
     * Reads every process of this machine, and adds those that have a wanted mark or descend from a member. Remembers
     * nothing of earlier searches.
     */
    TreeSearch.Result search() {
        TreeMembers found = forSearch();
        List<TreeMembers> all = List.of(found);
        TreeSearch search =
                new TreeSearch(processes.get(), all, mark -> wanted.test(mark) ? all : List.<TreeMembers>of());
        TreeSearch.Result result = search.run();
        addFound(found);
        return result;
    }

    /**
     * Searches, for callers that poll until the search is complete and must terminate.
     *
     * @return true if the search is complete, or if searches have been unsure for too long; if false, search again
     *     later
     */
    boolean searchConclusively() {
        return conclude(search());
    }

    /** Whether the result of a search concludes a wait, see {@link UnsureSearches}. */
    boolean conclude(TreeSearch.Result result) {
        return unsure.conclude(result);
    }

    /** Checks only the known members; one whose state cannot be read counts as alive. */
    boolean isAlive() {
        removeExited();
        return !members.isEmpty();
    }

    /** Whether one of the known members runs for certain. */
    boolean isCertainlyAlive() {
        return members.keySet().stream().anyMatch(member -> member.liveness() == Liveness.RUNNING);
    }

    private void removeExited() {
        members.keySet().removeIf(ProcessIdentity::hasEnded);
    }

    /**
     * Signals the known members and resumes stopped ones, which would otherwise not handle a SIGTERM.
     *
     * @return whether the signal was delivered to all; if not, call {@link #signalRemaining} later
     */
    boolean signal(Signal signal) {
        forgetSignals();
        return signalRemaining(signal, member -> true);
    }

    /** From now on, each signal is sent to all members, even if they have received one. */
    void forgetSignals() {
        members.values().forEach(member -> {
            member.received = null;
            member.resumed = false;
        });
    }

    /** Signals the addressed members that have received neither this signal nor a stronger one. */
    boolean signalRemaining(Signal signal, Predicate<ProcessIdentity> addressed) {
        boolean reached = true;
        for (Map.Entry<ProcessIdentity, Member> entry : members.entrySet()) {
            Member member = entry.getValue();
            if (!member.hasReceived(signal) && addressed.test(entry.getKey())) {
                if (signal.send(entry.getKey())) {
                    member.received = signal;
                } else {
                    reached = false;
                }
            }
        }
        return (signal == Signal.KILL || resumeTerminated()) && reached;
    }

    private boolean resumeTerminated() {
        List<ProcessIdentity> terminated = members.entrySet().stream()
                .filter(member -> member.getValue().hasReceived(Signal.TERM) && !member.getValue().resumed)
                .map(Map.Entry::getKey)
                .toList();
        boolean resumed = StoppedProcessResumer.ofStopped(terminated);
        members.forEach((process, member) -> member.resumed |= resumed && terminated.contains(process));
        return resumed;
    }
}
