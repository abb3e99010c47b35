package io.github.workerregistry;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Index over the workers of one model. Finds a worker with a free slot in time that does not grow with the number of
 * workers (10 or 100,000).
 *
 * <p><b>The index holds hints only.</b> A worker's atomic word ({@link Occupancy}) alone decides whether it has a free
 * slot; a slot is acquired by a compare-and-set on that word. A hint can be wrong in one direction: it may name a
 * worker without a free slot. It never hides a worker that has one, except during an update (see below).
 *
 * <p><b>The tree.</b> The index is a hierarchical bitmap, as used by memory allocators. Each worker has a place. 64
 * places form a leaf, 64 leaves a node, 64 nodes a higher node, and so on. There are eight load levels: 0 is idle, 1 to
 * 7 are parts of busy. For each level a node has one word, with one bit per child: <i>there may be a worker of this
 * level below</i>. The first worker of a level is therefore found with one {@code numberOfTrailingZeros} per height,
 * and all words of a node are adjacent in memory. The {@link SlotSelection} defines the order in which levels are
 * tried. {@code SPREAD} takes the least loaded worker of a leaf rather than the first; its search starts after the
 * worker that the thread used last, so that equally loaded workers are used in rotation. A thread without a last worker
 * starts at an arbitrary place.
 *
 * <p><b>Lazy bits.</b> A thread that changes a worker's word sets the bit of the new level, from the leaf to the root
 * ({@link #note}). It does not clear the old bit. A search that follows a stale bit clears it ({@link #correct}). A
 * worker with one slot can therefore be acquired and released without a write to the tree: its idle bit stays set, and
 * is correct again after the release.
 *
 * <p><b>No lost updates.</b> {@code correct} clears the bit, re-reads the word, and sets the bit that belongs to it. A
 * writer changes the word, then reads the bit. All accesses are volatile, so at least one of the two sees the other's
 * write (Dekker). The same holds one height up, between an empty word and its bit in the parent. A search can still
 * miss a worker during such an update, or while bits are being set from leaf to root. Every update of the tree
 * therefore increments one counter at its start and another at its end, and a search without result is repeated if an
 * update overlapped it. So "no free slot" was true at some moment during the call. The counters are shared, but the
 * tree changes only when workers change level and a stale bit was followed; it does not change while each thread reuses
 * its own worker.
 *
 * <p>{@code PACK} first tries the worker that the thread used last ({@link ThreadHints}, {@link #tryAcquireAgain}),
 * unless a preferred level has a worker. Two threads then do not compete for the first bit.
 *
 * <p>Places are assigned and freed under the registry's write lock. Everything else takes no lock.
 */
final class FreeSlots {

    /**
     * Level 0 is idle, 1 to 7 are parts of busy; {@code PACK} uses level 1 for all of busy. A full worker has no level.
     */
    private static final int LEVELS = 8;

    private static final int PACKED_LEVELS = 2;

    static final int NONE = -1;
    private static final int ANY = -2;
    private static final int FAN_OUT = 64;
    private static final int FAN_OUT_BITS = 6;
    private static final int INITIAL_CAPACITY = 4;
    private static final int ATTEMPTS_BEFORE_PARK = 64;

    /**
     * Bound on repeated searches: an update that has not ended by then never ends (its thread overflowed its stack).
     */
    private static final int MAX_ATTEMPTS = 8_192 * ATTEMPTS_BEFORE_PARK;

    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle BEGUN;
    private static final VarHandle ENDED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            BEGUN = lookup.findVarHandle(FreeSlots.class, "changesBegun", long.class);
            ENDED = lookup.findVarHandle(FreeSlots.class, "changesEnded", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final boolean pack;
    private volatile Node root = new Node(0, 0);
    private volatile long changesBegun;
    private volatile long changesEnded;

    private volatile int members;
    private volatile int additions;
    /**
     * Whether any worker ever had more than one slot. If not, no worker is partly busy, and all idle workers are equal.
     */
    private volatile boolean sharing;

    // guarded by the registry's write lock
    private int added;
    private int places;
    private int[] vacant = new int[INITIAL_CAPACITY];
    private int vacancies;

    FreeSlots(SlotSelection selection) {
        this.pack = selection == SlotSelection.PACK;
    }

    /** A part of the tree: a leaf with up to 64 workers, or an inner node with up to 64 nodes. */
    static final class Node {
        private final int height;
        private final int index;
        private volatile @Nullable Node parent;
        private final long[] words = new long[LEVELS];
        private volatile AtomicReferenceArray<@Nullable Object> children = new AtomicReferenceArray<>(INITIAL_CAPACITY);

        Node(int height, int index) {
            this.height = height;
            this.index = index;
        }

        long word(int level) {
            return (long) WORDS.getVolatile(words, level);
        }

        boolean has(int level, int index) {
            return (word(level) & (1L << index)) != 0;
        }

        /** Uses compare-and-set because Lincheck does not model the bitwise VarHandle operations. */
        void change(int level, int index, boolean set) {
            long bit = 1L << index;
            long seen = word(level);
            while (!WORDS.compareAndSet(words, level, seen, set ? seen | bit : seen & ~bit)) {
                seen = word(level);
            }
        }

        boolean isLeaf() {
            return height == 0;
        }

        @Nullable
        Object child(int index) {
            AtomicReferenceArray<@Nullable Object> now = children;
            return index < now.length() ? now.get(index) : null;
        }

        @Nullable
        WorkerEntry entry(int index) {
            return (WorkerEntry) child(index);
        }

        /** Called under the registry's write lock. */
        void put(int index, @Nullable Object child) {
            AtomicReferenceArray<@Nullable Object> now = children;
            if (index >= now.length()) {
                AtomicReferenceArray<@Nullable Object> larger =
                        new AtomicReferenceArray<>(Math.min(FAN_OUT, Math.max(2 * now.length(), index + 1)));
                for (int i = 0; i < now.length(); i++) {
                    larger.set(i, now.get(i));
                }
                children = larger;
                now = larger;
            }
            now.set(index, child);
        }
    }

    // ---- membership: under the registry's write lock ----

    void add(WorkerEntry entry) {
        int place = vacancies > 0 ? vacant[--vacancies] : places++;
        Node leaf = leafOf(place);
        entry.setPlace(leaf, place);
        leaf.put(indexOf(entry), entry);
        members = places - vacancies;
        sharing |= entry.slots() > 1;
        note(entry);
        additions = ++added;
    }

    /** A worker's next generation has another number of slots; none of them can be acquired yet. */
    void resized(WorkerEntry entry) {
        sharing |= entry.slots() > 1;
    }

    void remove(WorkerEntry entry) {
        entry.leaf().put(indexOf(entry), null);
        if (vacancies == vacant.length) {
            vacant = Arrays.copyOf(vacant, 2 * vacancies);
        }
        vacant[vacancies++] = entry.place();
        members = places - vacancies;
    }

    /**
     * Number of workers added so far. If it changed during an iteration without the lock, the iteration may have missed
     * a worker that was added at a place already visited.
     */
    int additions() {
        return additions;
    }

    /** May be called without the lock. */
    boolean isEmpty() {
        return members == 0;
    }

    /** The worker's index within its leaf. */
    private static int indexOf(WorkerEntry entry) {
        return entry.place() & (FAN_OUT - 1);
    }

    private Node leafOf(int place) {
        while ((place >>> (FAN_OUT_BITS * (root.height + 1))) != 0) {
            grow();
        }
        Node node = root;
        while (!node.isLeaf()) {
            int index = (place >>> (FAN_OUT_BITS * node.height)) & (FAN_OUT - 1);
            Node child = (Node) node.child(index);
            if (child == null) {
                child = new Node(node.height - 1, index);
                child.parent = node;
                node.put(index, child);
            }
            node = child;
        }
        return node;
    }

    /**
     * Adds a root. All its bits are set, because a concurrent {@link #mark} that does not see the new root does not set
     * them.
     */
    private void grow() {
        Node old = root;
        Node higher = new Node(old.height + 1, 0);
        higher.put(0, old);
        for (int level = 0; level < LEVELS; level++) {
            WORDS.setVolatile(higher.words, level, 1L);
        }
        old.parent = higher;
        root = higher;
    }

    // ---- search: no lock ----

    /** Acquires a slot of this worker if the selection prefers no other worker; else returns null. */
    @Nullable
    SlotLease tryAcquireAgain(WorkerEntry last) {
        return pack && (!sharing || isBest(last)) ? last.tryAcquire() : null;
    }

    /**
     * Acquires a slot of the worker that the selection prefers; null if no worker has a free slot.
     *
     * @param last the worker that this thread used last. {@code PACK} tries it last within its leaf: another thread has
     *     probably just acquired its slot, and the two threads would keep competing for it. {@code SPREAD} starts the
     *     search after it
     */
    @Nullable
    SlotLease tryAcquireBest(@Nullable WorkerEntry last) {
        int place = pack ? 0 : startPlace(last);
        Node leaf = pack ? root : last != null ? last.leaf() : leafAt(place);
        int start = last != null ? indexOf(last) + 1 : place & (FAN_OUT - 1);
        for (int attempt = 1; ; attempt++) {
            long ended = changesEnded;
            for (int i = 0; i < levels(); i++) {
                SlotLease lease = pack ? tryAcquireOf(levelAt(i), last) : tryAcquireOf(levelAt(i), leaf, start);
                if (lease != null) {
                    return lease;
                }
            }
            if (changesBegun == ended || attempt == MAX_ATTEMPTS) {
                return null;
            }
            if (attempt % ATTEMPTS_BEFORE_PARK == 0) {
                LockSupport.parkNanos(1_000); // an updating thread may be descheduled
            }
        }
    }

    /**
     * Acquires a slot of an accepted worker, in the order of the selection. Visits many workers if few are accepted.
     *
     * @param accepted tested on workers that have a free slot
     * @param last the worker that this thread used last, as in {@link #tryAcquireBest}
     */
    @Nullable
    SlotLease tryAcquire(Predicate<WorkerEntry> accepted, @Nullable WorkerEntry last) {
        int start = pack ? 0 : startPlace(last);
        for (int i = 0; i < levels(); i++) {
            int level = levelAt(i);
            SlotLease lease = first(level, start, entry -> entry.level() == level ? tryAcquire(entry, accepted) : null);
            if (lease != null) {
                return lease;
            }
        }
        // Any level: a worker may have changed level since its level was searched.
        return first(ANY, start, entry -> entry.level() == NONE ? null : tryAcquire(entry, accepted));
    }

    private static @Nullable SlotLease tryAcquire(WorkerEntry entry, Predicate<WorkerEntry> accepted) {
        return accepted.test(entry) ? entry.tryAcquire() : null;
    }

    /**
     * Acquires a slot for an affinity key: of the worker that served it last, unless that is much more loaded than
     * another, else of the least loaded worker, by slots in use. Visits all workers, except if the first one has at
     * most one slot in use.
     *
     * @param served the worker that served the key last; null if unknown
     * @param accepted tested also on workers without a free slot; null for all
     */
    @Nullable
    SlotLease tryAcquireNear(@Nullable WorkerEntry served, @Nullable Predicate<WorkerEntry> accepted) {
        if (served != null && (accepted == null || accepted.test(served)) && !isOverloaded(served, accepted)) {
            SlotLease lease = served.tryAcquire();
            if (lease != null) {
                return lease;
            }
        }
        for (WorkerEntry least = leastLoaded(accepted); least != null; least = leastLoaded(accepted)) {
            SlotLease lease = least.tryAcquire();
            if (lease != null) {
                return lease;
            }
        }
        return null;
    }

    /**
     * Whether more than {@code min + 2} or more than {@code 1.5 min + 1} of its slots are in use, where {@code min} is
     * the minimum of the accepted workers. (The guard of LocalAI's prefix cache.)
     */
    private boolean isOverloaded(WorkerEntry served, @Nullable Predicate<WorkerEntry> accepted) {
        int inUse = served.slotsInUse();
        if (inUse <= 1) {
            return false;
        }
        int least = Math.max(inUse - 2, (2 * (inUse - 1) + 2) / 3); // below it, the worker is overloaded
        return first(entry ->
                        entry.slotsInUse() < least && entry.isRoutable() && (accepted == null || accepted.test(entry))
                                ? entry
                                : null)
                != null;
    }

    /** The accepted worker with a free slot that has the fewest slots in use; null if there is none. */
    private @Nullable WorkerEntry leastLoaded(@Nullable Predicate<WorkerEntry> accepted) {
        LeastLoaded least = new LeastLoaded(accepted);
        first(least);
        return least.found;
    }

    private static final class LeastLoaded implements Function<WorkerEntry, @Nullable WorkerEntry> {
        private final @Nullable Predicate<WorkerEntry> accepted;
        private @Nullable WorkerEntry found;
        private int inUse = Integer.MAX_VALUE;

        LeastLoaded(@Nullable Predicate<WorkerEntry> accepted) {
            this.accepted = accepted;
        }

        @Override
        public @Nullable WorkerEntry apply(WorkerEntry entry) {
            int now = entry.slotsInUse();
            if (now < inUse && entry.level() != NONE && (accepted == null || accepted.test(entry))) {
                found = entry;
                inUse = now;
            }
            return null; // visit all
        }
    }

    /** Visits the workers in the order of their places until the visitor returns a result. */
    <T> @Nullable T first(Function<WorkerEntry, @Nullable T> visitor) {
        return first(ANY, 0, visitor);
    }

    /** Visits the workers of one level, from place {@code start} on, then from the first place. */
    private <T> @Nullable T first(int level, int start, Function<WorkerEntry, @Nullable T> visitor) {
        T result = first(root, 0, level, start, Integer.MAX_VALUE, visitor);
        return result != null || start == 0 ? result : first(root, 0, level, 0, start, visitor);
    }

    /**
     * Visits the workers below a node whose first place is {@code base}, at places from {@code start} to before
     * {@code end}.
     */
    private static <T> @Nullable T first(
            Node node, long base, int level, int start, int end, Function<WorkerEntry, @Nullable T> visitor) {
        long width = 1L << (FAN_OUT_BITS * node.height);
        for (long left = level == ANY ? -1L : node.word(level); left != 0; left &= left - 1) {
            int index = Long.numberOfTrailingZeros(left);
            long first = base + index * width;
            if (first + width <= start || first >= end) {
                continue;
            }
            Object next = node.child(index);
            T result = null;
            if (next instanceof Node child) {
                result = first(child, first, level, start, end, visitor);
            } else if (next instanceof WorkerEntry entry) {
                result = visitor.apply(entry);
            }
            if (result != null) {
                return result;
            }
        }
        return null;
    }

    /** {@code PACK}. */
    private @Nullable SlotLease tryAcquireOf(int level, @Nullable WorkerEntry last) {
        Node node = root;
        while (node != null) {
            long word = node.word(level);
            if (word == 0) {
                node = correctParent(node, level);
            } else if (!node.isLeaf()) {
                node = child(node, Long.numberOfTrailingZeros(word));
            } else {
                SlotLease lease = tryAcquireAt(node, firstOf(node, word, last), level);
                if (lease != null) {
                    return lease;
                }
            }
        }
        return null;
    }

    /** {@code SPREAD}: from a place of a leaf on, then from the first place. */
    private @Nullable SlotLease tryAcquireOf(int level, Node startLeaf, int start) {
        Node node = firstBehind(startLeaf, start, level);
        while (node != null) {
            long word = node.word(level);
            if (word == 0) {
                node = correctParent(node, level);
            } else if (!node.isLeaf()) {
                node = child(node, Long.numberOfTrailingZeros(word));
            } else {
                long behind = node == startLeaf ? from(start) : -1L;
                int index = level == 0 ? firstOf(word, behind) : leastLoadedOf(node, word, behind, level);
                SlotLease lease = tryAcquireAt(node, index, level);
                if (lease != null) {
                    return lease;
                }
            }
        }
        return null;
    }

    /** The leaf itself, or the next node after it that may have a worker of the level; else the root. */
    private Node firstBehind(Node leaf, int start, int level) {
        int index = start;
        for (Node node = leaf; node != null; node = node.parent) {
            long behind = node.word(level) & from(index);
            if (behind != 0) {
                return node.isLeaf() ? node : child(node, Long.numberOfTrailingZeros(behind));
            }
            index = node.index + 1;
        }
        return root;
    }

    /** The bits from an index on. The index may be {@link #FAN_OUT}: then none. */
    private static long from(int index) {
        return index < FAN_OUT ? -1L << index : 0;
    }

    /** The first bit of {@code word & behind}, or of {@code word} if there is none. */
    private static int firstOf(long word, long behind) {
        return Long.numberOfTrailingZeros((word & behind) != 0 ? word & behind : word);
    }

    /** {@code SPREAD}: the place at which a search starts. */
    private int startPlace(@Nullable WorkerEntry last) {
        return last != null ? last.place() + 1 : anyPlace();
    }

    /** Spreads threads evenly over the places by the golden ratio, for threads that acquire only one slot each. */
    private int anyPlace() {
        long spread = (Thread.currentThread().getId() * 0x9E37_79B9_7F4A_7C15L) >>> Integer.SIZE;
        return (int) ((spread * members) >>> Integer.SIZE);
    }

    /** The leaf of a place, or the lowest existing node above it. */
    private Node leafAt(int place) {
        Node node = root;
        while (!node.isLeaf()) {
            Object child = node.child((place >>> (FAN_OUT_BITS * node.height)) & (FAN_OUT - 1));
            if (child == null) {
                return node;
            }
            node = (Node) child;
        }
        return node;
    }

    /** Acquires a slot of the worker there, or corrects the bit if it was stale. */
    private @Nullable SlotLease tryAcquireAt(Node leaf, int index, int level) {
        WorkerEntry entry = leaf.entry(index);
        SlotLease lease = entry != null && entry.level() == level ? entry.tryAcquire() : null;
        if (lease == null && (entry == null || entry.level() != level)) {
            correct(leaf, index, level);
        }
        return lease;
    }

    /** Corrects the parent's bit for an empty node. */
    private @Nullable Node correctParent(Node node, int level) {
        Node parent = node.parent;
        if (parent != null) {
            correct(parent, node.index, level);
        }
        return parent;
    }

    private static int firstOf(Node leaf, long word, @Nullable WorkerEntry last) {
        long others = last != null && last.leaf() == leaf ? word & ~(1L << indexOf(last)) : word;
        return Long.numberOfTrailingZeros(others != 0 ? others : word);
    }

    /**
     * The first least loaded worker, starting with the bits in {@code behind}; or one whose bit is stale, to be
     * corrected.
     */
    private static int leastLoadedOf(Node leaf, long word, long behind, int level) {
        WorkerEntry least = null;
        int index = 0;
        for (long part : new long[] {word & behind, word & ~behind}) {
            for (long left = part; left != 0; left &= left - 1) {
                int next = Long.numberOfTrailingZeros(left);
                WorkerEntry entry = leaf.entry(next);
                if (entry == null || entry.level() != level) {
                    return next;
                }
                if (least == null || entry.isLessLoadedThan(least)) {
                    least = entry;
                    index = next;
                }
            }
        }
        return index;
    }

    private static Node child(Node node, int index) {
        Node child = (Node) node.child(index);
        if (child == null) {
            throw new AssertionError("a bit without a node");
        }
        return child;
    }

    /** {@code PACK}: whether no other worker may be of a preferred level. */
    private boolean isBest(WorkerEntry entry) {
        int level = entry.level();
        if (level == NONE) {
            return false;
        }
        for (int i = 0; levelAt(i) != level; i++) {
            if (isAnotherOf(levelAt(i), entry)) {
                return false;
            }
        }
        return true;
    }

    /** Ignores the worker's own bit: it is stale, and becomes correct when the slot is acquired. */
    private static boolean isAnotherOf(int level, WorkerEntry entry) {
        int index = indexOf(entry);
        for (Node node = entry.leaf(); node != null; node = node.parent) {
            if ((node.word(level) & ~(1L << index)) != 0) {
                return true;
            }
            index = node.index;
        }
        return false;
    }

    private int levelAt(int i) {
        return pack ? PACKED_LEVELS - 1 - i : i;
    }

    private int levels() {
        return pack ? PACKED_LEVELS : LEVELS;
    }

    /** The level of a worker with this many slots leased; not for a worker whose occupancy the hive reports. */
    int level(int inUse, int slots) {
        if (inUse == 0) {
            return 0;
        }
        if (inUse >= slots) {
            return NONE;
        }
        return pack ? 1 : 1 + (int) ((LEVELS - 1L) * inUse / slots);
    }

    // ---- hints: no lock ----

    /** Sets the bits that lead to a worker whose word has just changed. */
    static void note(WorkerEntry entry) {
        note(entry, entry.level());
    }

    /** Sets the bits for a known level. If the level is stale by now, the thread that changed it sets the new one. */
    static void note(WorkerEntry entry, int level) {
        if (level != NONE && !entry.leaf().has(level, indexOf(entry))) {
            entry.model().free().mark(entry.leaf(), indexOf(entry), level);
        }
    }

    private void mark(Node start, int startIndex, int level) {
        BEGUN.getAndAdd(this, 1L);
        try {
            int index = startIndex;
            for (Node node = start; node != null; node = node.parent) {
                if (!node.has(level, index)) {
                    node.change(level, index, true);
                }
                index = node.index;
            }
        } finally {
            ENDED.getAndAdd(this, 1L);
        }
    }

    /** Clears a stale bit, and sets the one that belongs to the current word. */
    private void correct(Node node, int index, int level) {
        BEGUN.getAndAdd(this, 1L);
        try {
            node.change(level, index, false);
            markChild(node, index, level);
        } finally {
            ENDED.getAndAdd(this, 1L);
        }
    }

    private void markChild(Node node, int index, int level) {
        if (node.isLeaf()) {
            WorkerEntry entry = node.entry(index);
            if (entry != null) {
                note(entry);
            }
        } else if (child(node, index).word(level) != 0) {
            mark(node, index, level);
        }
    }
}
