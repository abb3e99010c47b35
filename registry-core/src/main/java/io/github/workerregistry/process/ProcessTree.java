package io.github.workerregistry.process;

import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The known processes with a mark, and their known descendants. Not thread-safe.
 *
 * <p>Members are identified by pid and start time, so a process that reuses a pid is never signalled. A process remains
 * a member until it has exited for certain, even if its state cannot be read.
 */
final class ProcessTree {

    /** Whether a search found all members. */
    enum Search {
        /** All members were found. */
        COMPLETE,
        /** Members may have been missed, because processes changed during the search. */
        UNSURE,
        /** The processes of this machine cannot be read now. */
        FAILED
    }

    private static final Logger log = LoggerFactory.getLogger(ProcessTree.class);

    /** After unsure searches for this time, a process without a visible environment is ignored. */
    private static final Duration MAX_UNSURE_TIME = Duration.ofSeconds(2);

    /**
     * Minimum number of consecutive unsure searches: on a loaded machine each takes long, and may meet another such
     * process.
     */
    private static final int MIN_UNSURE_SEARCHES = 5;

    private final Predicate<ProcessMark> wanted;
    private final Set<ProcessIdentity> excluded;
    private final LongFunction<ProcessMark.Observation> markReader;
    private final LongSupplier nanoTime;
    private final Map<ProcessIdentity, Member> members = new LinkedHashMap<>();

    private int unsureInARow;
    private long unsureSince;

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
        this(mark, ProcessMark::observe, System::nanoTime);
    }

    /** For tests: replaces the reader of marks, to simulate states that last microseconds. */
    ProcessTree(ProcessMark mark, LongFunction<ProcessMark.Observation> markReader, LongSupplier nanoTime) {
        this(mark::equals, Set.of(), markReader, nanoTime);
    }

    /**
     * Creates the trees of many starts.
     *
     * @param wanted which marks make a process a member; throws {@link UnreadableException} if that cannot be
     *     determined now
     * @param excluded processes that never become members
     */
    ProcessTree(Predicate<ProcessMark> wanted, Set<ProcessIdentity> excluded) {
        this(wanted, excluded, ProcessMark::observe, System::nanoTime);
    }

    private ProcessTree(
            Predicate<ProcessMark> wanted,
            Set<ProcessIdentity> excluded,
            LongFunction<ProcessMark.Observation> markReader,
            LongSupplier nanoTime) {
        this.wanted = wanted;
        this.excluded = excluded;
        this.markReader = markReader;
        this.nanoTime = nanoTime;
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

    int size() {
        return members.size();
    }

    List<ProcessIdentity> members() {
        return List.copyOf(members.keySet());
    }

    void forEach(BiConsumer<ProcessIdentity, ProcessMark> visitor) {
        members.forEach((process, member) -> visitor.accept(process, member.mark));
    }

    /** Reads every process of this machine, and adds those that have a wanted mark or descend from a member. */
    Search search() {
        try {
            boolean sure = new TreeSearch(this, wanted, markReader).run();
            removeExited();
            if (!sure && !canReadProcesses()) {
                throw new UnreadableException("the mark of a process", null);
            }
            unsureInARow = sure ? 0 : unsureInARow;
            return sure ? Search.COMPLETE : Search.UNSURE;
        } catch (RuntimeException | OutOfMemoryError e) {
            unsureInARow = 0;
            log.debug("processes cannot be searched now", LogText.of(e));
            return Search.FAILED;
        }
    }

    /** Distinguishes an unreadable process from a resource shortage that makes every process unreadable. */
    private static boolean canReadProcesses() {
        return !Proc.isAvailable() || Proc.canBeRead();
    }

    /**
     * Searches, for callers that poll until the search is complete and must terminate.
     *
     * @return true if the search is complete, or if searches have been unsure for too long; if false, search again
     *     later. Failed searches never count as unsure
     */
    boolean searchConclusively() {
        Search search = search();
        return search == Search.COMPLETE || (search == Search.UNSURE && isUnsureForTooLong());
    }

    private boolean isUnsureForTooLong() {
        long now = nanoTime.getAsLong();
        if (unsureInARow++ == 0) {
            unsureSince = now;
        }
        return unsureInARow >= MIN_UNSURE_SEARCHES && now - unsureSince >= MAX_UNSURE_TIME.toNanos();
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
        members.values().forEach(member -> {
            member.received = null;
            member.resumed = false;
        });
        return signalRemaining(signal);
    }

    /** Signals the known members that have received neither this signal nor a stronger one. */
    boolean signalRemaining(Signal signal) {
        members.forEach((process, member) -> {
            if (!member.hasReceived(signal) && signal.send(process)) {
                member.received = signal;
            }
        });
        boolean reached = members.values().stream().allMatch(member -> member.hasReceived(signal));
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
