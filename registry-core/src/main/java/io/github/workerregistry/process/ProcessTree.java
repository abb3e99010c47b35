package io.github.workerregistry.process;

import io.github.workerregistry.LogText;
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
 * Processes that bear a mark, and what they started in turn, as far as it has been found. Not thread-safe.
 *
 * <p>A member is known by its start time, too, so a pid that went to another process in the meantime is left alone. It
 * is a member until it has ended for certain: one that cannot be looked at now stays.
 */
final class ProcessTree {

    /** What a search says of those that it did not find. */
    enum Search {
        /** There are none. */
        COMPLETE,
        /** There may be some: processes were changing all the time. */
        UNSURE,
        /** Nothing: the processes of this machine cannot be read now. */
        FAILED
    }

    private static final Logger log = LoggerFactory.getLogger(ProcessTree.class);

    /** For so long searches may end unsure. Then a process that shows no environment is no longer waited for. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** And at least so many in a row: on a loaded machine each takes long, and may meet another such process. */
    private static final int LEAST_UNSURE = 5;

    private final Predicate<ProcessMark> wanted;
    private final Set<ProcessIdentity> spared;
    private final LongFunction<ProcessMark.Look> eyes;
    private final LongSupplier nanoTime;
    private final Map<ProcessIdentity, Member> members = new LinkedHashMap<>();

    private int unsureInARow;
    private long unsureSince;

    private static final class Member {
        /** By which it belongs: its own, or that of the parent through which it was found. */
        final ProcessMark mark;

        /** The strongest signal that it has got. */
        @Nullable
        Signal got;

        /** It is not stopped, or was resumed after it had got that. */
        boolean canObey;

        Member(ProcessMark mark) {
            this.mark = mark;
        }

        boolean hasGot(Signal signal) {
            return got != null && got.compareTo(signal) >= 0;
        }
    }

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
     * @param wanted which marks make a member; throws {@link UnreadableException} if that cannot be told now
     * @param spared who never becomes one
     */
    ProcessTree(Predicate<ProcessMark> wanted, Set<ProcessIdentity> spared) {
        this(wanted, spared, ProcessMark::lookAt, System::nanoTime);
    }

    private ProcessTree(
            Predicate<ProcessMark> wanted,
            Set<ProcessIdentity> spared,
            LongFunction<ProcessMark.Look> eyes,
            LongSupplier nanoTime) {
        this.wanted = wanted;
        this.spared = spared;
        this.eyes = eyes;
        this.nanoTime = nanoTime;
    }

    /** Adds a member; false if it is one already, or is spared. */
    boolean add(ProcessIdentity member, ProcessMark mark) {
        return !spared.contains(member) && members.putIfAbsent(member, new Member(mark)) == null;
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

    /**
     * Looks at every process of this machine, about 10 µs each (20 if there are members), and adds those that bear a
     * wanted mark or descend from a member.
     */
    Search search() {
        try {
            boolean sure = new TreeSearch(this, wanted, eyes).run();
            forgetEnded();
            if (!sure && !canLook()) {
                throw new UnreadableException("what a process shows", null);
            }
            unsureInARow = sure ? 0 : unsureInARow;
            return sure ? Search.COMPLETE : Search.UNSURE;
        } catch (RuntimeException | OutOfMemoryError e) {
            unsureInARow = 0;
            log.debug("processes cannot be searched now", LogText.of(e));
            return Search.FAILED;
        }
    }

    /** What could not be told of one process may be due to that, or to a shortage that hides any process. */
    private static boolean canLook() {
        return !Proc.isAvailable() || Proc.canBeRead();
    }

    /**
     * Searches for one who polls until nobody can have been overlooked, and who has to come to an end.
     *
     * @return whether that is so, or was not for so long that it is believed; if not, search again later. A search that
     *     failed is not believed, however often it comes
     */
    boolean searchWithPatience() {
        Search search = search();
        return search == Search.COMPLETE || (search == Search.UNSURE && isUnsureForTooLong());
    }

    private boolean isUnsureForTooLong() {
        long now = nanoTime.getAsLong();
        if (unsureInARow++ == 0) {
            unsureSince = now;
        }
        return unsureInARow >= LEAST_UNSURE && now - unsureSince >= PATIENCE.toNanos();
    }

    /** Looks at the known members only; one that cannot be looked at now counts as alive. */
    boolean isAlive() {
        forgetEnded();
        return !members.isEmpty();
    }

    /** Whether one of the known members runs for certain. */
    boolean isSeenAlive() {
        return members.keySet().stream().anyMatch(member -> member.liveness() == Liveness.RUNNING);
    }

    private void forgetEnded() {
        members.keySet().removeIf(ProcessIdentity::hasEnded);
    }

    /**
     * Signals the known members, and resumes those that are stopped: they would obey a SIGTERM only then.
     *
     * @return whether all have got it; if not, {@link #signalRest} is to be tried later
     */
    boolean signal(Signal signal) {
        members.values().forEach(member -> {
            member.got = null;
            member.canObey = false;
        });
        return signalRest(signal);
    }

    /** Signals the known members that have got neither this signal nor a stronger one. */
    boolean signalRest(Signal signal) {
        members.forEach((process, member) -> {
            if (!member.hasGot(signal) && signal.send(process)) {
                member.got = signal;
            }
        });
        boolean reached = members.values().stream().allMatch(member -> member.hasGot(signal));
        return (signal == Signal.KILL || resumeAsked()) && reached;
    }

    private boolean resumeAsked() {
        List<ProcessIdentity> asked = members.entrySet().stream()
                .filter(member -> member.getValue().hasGot(Signal.TERM) && !member.getValue().canObey)
                .map(Map.Entry::getKey)
                .toList();
        boolean resumed = Resumption.ofStopped(asked);
        members.forEach((process, member) -> member.canObey |= resumed && asked.contains(process));
        return resumed;
    }
}
