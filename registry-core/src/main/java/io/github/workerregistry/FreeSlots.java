package io.github.workerregistry;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The workers of one model, and the search for a free slot among them that takes as long with ten workers as with a
 * hundred thousand. This is the one clever class of this package.
 *
 * <p><b>Truth and hints.</b> Whether a worker has a free slot, its own word says ({@link Occupancy}), and nothing else:
 * a slot is taken by a compare-and-set on that word. All that is here merely says where to look. A hint may be wrong in
 * one direction only: it may send us to a worker that has no slot left, never hide one that has (but for the moment of
 * a change, see below).
 *
 * <p><b>The tree.</b> Each worker has a place. Every 64 places have a leaf, every 64 leaves a node above them, and so
 * on, as high as there are workers. For each of eight levels of load (idle, and seven parts of busy) a node has one
 * word, with a bit for each thing below it: <i>there may be a worker of this level there</i>. So the first worker of a
 * level is found with one count of trailing zeros a storey, and each node's words lie side by side. The
 * {@link SlotSelection} is the order in which levels are tried. (To spread, the least loaded of a leaf is taken in
 * place of the first one; and a search begins behind the worker that its thread used last, so that among equals each
 * has its turn. A thread that has used none begins anywhere.)
 *
 * <p><b>Lazy bits.</b> Who changes a worker's word then sees to it that the bit of the new level is set, from the leaf
 * to the root ({@link #note}). Nobody clears the old one. That is left to whoever is misled by it ({@link #correct}),
 * so that a slot of a worker with one slot can be taken and given back for ever without a write to the tree: the bit
 * stays, and is right again when the slot is.
 *
 * <p><b>Why nothing is lost.</b> A corrector clears the bit and then looks at the word again, and sets what belongs
 * there; a changer writes the word and then looks at the bit. All of these are volatile, so at least one of the two
 * sees the other (Dekker). The same holds a storey higher between a word that is empty and the bit above it. In
 * between, and while bits are set from the leaf to the root, a search could miss a worker: so whoever changes the tree
 * counts when he begins and when he ends, and a search that found nothing is repeated if a change ran meanwhile. Hence
 * "no free slot" is true of some moment of the call. (One shared counter, then; but the tree changes only where workers
 * pass from level to level and somebody was misled, and not at all where each caller has a worker to come back to.)
 *
 * <p>To pack, before all this a thread tries the worker that it used last ({@link Hints}, {@link #tryTakeAgain}), if no
 * better level has a worker. So two threads do not fight for the first bit.
 *
 * <p>Places are given and taken under the registry's write lock. Everything else takes no lock. (The tree of words is a
 * hierarchical bitmap as allocators have it.)
 */
final class FreeSlots {

    /** Level 0 is idle, 1 to 7 are the parts of busy; when packing, all of busy is 1. A full worker has none. */
    private static final int LEVELS = 8;

    private static final int PACKED_LEVELS = 2;

    static final int NONE = -1;
    private static final int ANY = -2;
    private static final int FAN_OUT = 64;
    private static final int FAN_OUT_BITS = 6;
    private static final int FEW = 4;
    private static final int ROUNDS_BEFORE_PAUSE = 64;

    /** A change that has not ended by then never will: its thread has run out of stack in the middle of it. */
    private static final int MOST_ROUNDS = 8_192 * ROUNDS_BEFORE_PAUSE;

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
    private volatile int arrivals;
    /**
     * Whether a worker ever had more than one slot: else none is partly busy, and an idle one is as good as another.
     */
    private volatile boolean sharing;

    // guarded by the registry's write lock
    private int came;
    private int places;
    private int[] vacant = new int[FEW];
    private int vacancies;

    FreeSlots(SlotSelection selection) {
        this.pack = selection == SlotSelection.PACK;
    }

    /** A part of the tree: a leaf with up to 64 workers, or a node with up to 64 nodes. */
    static final class Node {
        private final int storey;
        private final int index;
        private volatile @Nullable Node above;
        private final long[] words = new long[LEVELS];
        private volatile AtomicReferenceArray<@Nullable Object> below = new AtomicReferenceArray<>(FEW);

        Node(int storey, int index) {
            this.storey = storey;
            this.index = index;
        }

        long word(int level) {
            return (long) WORDS.getVolatile(words, level);
        }

        boolean has(int level, int index) {
            return (word(level) & (1L << index)) != 0;
        }

        /** By compare-and-set, which the tools that try schedules know; they take no notice of bitwise operations. */
        void change(int level, int index, boolean set) {
            long bit = 1L << index;
            long seen = word(level);
            while (!WORDS.compareAndSet(words, level, seen, set ? seen | bit : seen & ~bit)) {
                seen = word(level);
            }
        }

        boolean isLeaf() {
            return storey == 0;
        }

        @Nullable
        Object below(int index) {
            AtomicReferenceArray<@Nullable Object> now = below;
            return index < now.length() ? now.get(index) : null;
        }

        @Nullable
        Entry entry(int index) {
            return (Entry) below(index);
        }

        /** Under the registry's write lock. */
        void put(int index, @Nullable Object thing) {
            AtomicReferenceArray<@Nullable Object> now = below;
            if (index >= now.length()) {
                AtomicReferenceArray<@Nullable Object> larger =
                        new AtomicReferenceArray<>(Math.min(FAN_OUT, Math.max(2 * now.length(), index + 1)));
                for (int i = 0; i < now.length(); i++) {
                    larger.set(i, now.get(i));
                }
                below = larger;
                now = larger;
            }
            now.set(index, thing);
        }
    }

    // ---- membership: under the registry's write lock ----

    void add(Entry entry) {
        int place = vacancies > 0 ? vacant[--vacancies] : places++;
        Node leaf = leafOf(place);
        entry.takePlace(leaf, place);
        leaf.put(indexOf(entry), entry);
        members = places - vacancies;
        sharing |= entry.slots() > 1;
        note(entry);
        arrivals = ++came;
    }

    void remove(Entry entry) {
        entry.leaf().put(indexOf(entry), null);
        if (vacancies == vacant.length) {
            vacant = Arrays.copyOf(vacant, 2 * vacancies);
        }
        vacant[vacancies++] = entry.place();
        members = places - vacancies;
    }

    /**
     * How many workers have come in all. Who goes through the workers without the lock, and finds this changed, may
     * have missed one that came behind his back before another left ahead of him.
     */
    int arrivals() {
        return arrivals;
    }

    /** Also for those without the lock. */
    boolean isEmpty() {
        return members == 0;
    }

    /** Of its place within its leaf. */
    private static int indexOf(Entry entry) {
        return entry.place() & (FAN_OUT - 1);
    }

    private Node leafOf(int place) {
        while ((place >>> (FAN_OUT_BITS * (root.storey + 1))) != 0) {
            grow();
        }
        Node node = root;
        while (!node.isLeaf()) {
            int index = (place >>> (FAN_OUT_BITS * node.storey)) & (FAN_OUT - 1);
            Node child = (Node) node.below(index);
            if (child == null) {
                child = new Node(node.storey - 1, index);
                child.above = node;
                node.put(index, child);
            }
            node = child;
        }
        return node;
    }

    /**
     * Puts a storey on top. Its bits are set on suspicion: who set one below without seeing the new root would not set
     * them.
     */
    private void grow() {
        Node old = root;
        Node higher = new Node(old.storey + 1, 0);
        higher.put(0, old);
        for (int level = 0; level < LEVELS; level++) {
            WORDS.setVolatile(higher.words, level, 1L);
        }
        old.above = higher;
        root = higher;
    }

    // ---- search: no lock ----

    /** Takes a slot of this worker if the selection prefers no other, or returns null. */
    @Nullable
    SlotLease tryTakeAgain(Entry last) {
        return pack && (!sharing || isBest(last)) ? last.tryTake() : null;
    }

    /**
     * Takes a slot of the worker that the selection prefers, or returns null if there is none.
     *
     * @param last the worker that this thread used last. To pack, among the workers of one leaf it comes last: most
     *     likely somebody else has just taken its slot, and two threads would meet at it for ever. To spread, the
     *     search begins behind it
     */
    @Nullable
    SlotLease tryTakeBest(@Nullable Entry last) {
        int place = pack ? 0 : placeBehind(last);
        Node leaf = pack ? root : last != null ? last.leaf() : leafAt(place);
        int start = last != null ? indexOf(last) + 1 : place & (FAN_OUT - 1);
        for (int round = 1; ; round++) {
            long ended = changesEnded;
            for (int i = 0; i < levels(); i++) {
                SlotLease lease = pack ? tryTakeOf(inOrder(i), last) : tryTakeOf(inOrder(i), leaf, start);
                if (lease != null) {
                    return lease;
                }
            }
            if (changesBegun == ended || round == MOST_ROUNDS) {
                return null;
            }
            if (round % ROUNDS_BEFORE_PAUSE == 0) {
                LockSupport.parkNanos(1_000); // whoever changes the tree may have lost his processor
            }
        }
    }

    /**
     * Takes a slot of a worker that passes, in the order of the selection; looks at many if few pass.
     *
     * @param last the worker that this thread used last, as above
     */
    @Nullable
    SlotLease tryTake(SlotFilter filter, @Nullable Entry last) {
        int start = pack ? 0 : placeBehind(last);
        for (int i = 0; i < levels(); i++) {
            int level = inOrder(i);
            SlotLease lease = first(level, start, entry -> entry.level() == level ? entry.tryTake(filter) : null);
            if (lease != null) {
                return lease;
            }
        }
        // Of any level: somebody may have moved behind our back.
        return first(ANY, start, entry -> entry.tryTake(filter));
    }

    /** Goes through the workers in the order of their places, up to the first for which there is a result. */
    <T> @Nullable T first(Function<Entry, @Nullable T> look) {
        return first(ANY, 0, look);
    }

    /** The same, of one level, and beginning somewhere. */
    private <T> @Nullable T first(int level, int start, Function<Entry, @Nullable T> look) {
        T result = first(root, 0, level, start, Integer.MAX_VALUE, look);
        return result != null || start == 0 ? result : first(root, 0, level, 0, start, look);
    }

    /**
     * The same below a node whose first place is {@code base}, and of places from {@code start} to before {@code end}.
     */
    private static <T> @Nullable T first(
            Node node, long base, int level, int start, int end, Function<Entry, @Nullable T> look) {
        long width = 1L << (FAN_OUT_BITS * node.storey);
        for (long left = level == ANY ? -1L : node.word(level); left != 0; left &= left - 1) {
            int index = Long.numberOfTrailingZeros(left);
            long first = base + index * width;
            if (first + width <= start || first >= end) {
                continue;
            }
            Object thing = node.below(index);
            T result = null;
            if (thing instanceof Node child) {
                result = first(child, first, level, start, end, look);
            } else if (thing instanceof Entry entry) {
                result = look.apply(entry);
            }
            if (result != null) {
                return result;
            }
        }
        return null;
    }

    /** To pack. */
    private @Nullable SlotLease tryTakeOf(int level, @Nullable Entry last) {
        Node node = root;
        while (node != null) {
            long word = node.word(level);
            if (word == 0) {
                node = correctedAbove(node, level);
            } else if (!node.isLeaf()) {
                node = child(node, Long.numberOfTrailingZeros(word));
            } else {
                SlotLease lease = tryTakeAt(node, firstOf(node, word, last), level);
                if (lease != null) {
                    return lease;
                }
            }
        }
        return null;
    }

    /** To spread: from a place of a leaf on, and then from the first. */
    private @Nullable SlotLease tryTakeOf(int level, Node startLeaf, int start) {
        Node node = firstBehind(startLeaf, start, level);
        while (node != null) {
            long word = node.word(level);
            if (word == 0) {
                node = correctedAbove(node, level);
            } else if (!node.isLeaf()) {
                node = child(node, Long.numberOfTrailingZeros(word));
            } else {
                long behind = node == startLeaf ? from(start) : -1L;
                int index = level == 0 ? firstOf(word, behind) : leastLoadedOf(node, word, behind, level);
                SlotLease lease = tryTakeAt(node, index, level);
                if (lease != null) {
                    return lease;
                }
            }
        }
        return null;
    }

    /** The leaf itself, or the next node behind it that seems to have a worker of the level; else the root. */
    private Node firstBehind(Node leaf, int start, int level) {
        int index = start;
        for (Node node = leaf; node != null; node = node.above) {
            long behind = node.word(level) & from(index);
            if (behind != 0) {
                return node.isLeaf() ? node : child(node, Long.numberOfTrailingZeros(behind));
            }
            index = node.index + 1;
        }
        return root;
    }

    /** The bits from an index on, which may be one more than there are. */
    private static long from(int index) {
        return index < FAN_OUT ? -1L << index : 0;
    }

    /** The first of those that are behind, else the very first. */
    private static int firstOf(long word, long behind) {
        return Long.numberOfTrailingZeros((word & behind) != 0 ? word & behind : word);
    }

    /** Where a thread begins that spreads: behind the worker that it used last, or, if it used none, anywhere. */
    private int placeBehind(@Nullable Entry last) {
        return last != null ? last.place() + 1 : anyPlace();
    }

    /** Threads that come one after another, each for one slot, are spread evenly (by the golden ratio). */
    private int anyPlace() {
        long spread = (Thread.currentThread().getId() * 0x9E37_79B9_7F4A_7C15L) >>> Integer.SIZE;
        return (int) ((spread * members) >>> Integer.SIZE);
    }

    /** The leaf that a place is in, or a node above it if there is none. */
    private Node leafAt(int place) {
        Node node = root;
        while (!node.isLeaf()) {
            Object child = node.below((place >>> (FAN_OUT_BITS * node.storey)) & (FAN_OUT - 1));
            if (child == null) {
                return node;
            }
            node = (Node) child;
        }
        return node;
    }

    /** Takes a slot of the worker there, or corrects the bit that said that there may be one. */
    private @Nullable SlotLease tryTakeAt(Node leaf, int index, int level) {
        Entry entry = leaf.entry(index);
        SlotLease lease = entry != null && entry.level() == level ? entry.tryTake() : null;
        if (lease == null && (entry == null || entry.level() != level)) {
            correct(leaf, index, level);
        }
        return lease;
    }

    /** A node is empty: corrects the bit that led there. */
    private @Nullable Node correctedAbove(Node node, int level) {
        Node above = node.above;
        if (above != null) {
            correct(above, node.index, level);
        }
        return above;
    }

    private static int firstOf(Node leaf, long word, @Nullable Entry last) {
        long others = last != null && last.leaf() == leaf ? word & ~(1L << indexOf(last)) : word;
        return Long.numberOfTrailingZeros(others != 0 ? others : word);
    }

    /** The first of those that are behind, among equals; or one whose bit is wrong, to be corrected. */
    private static int leastLoadedOf(Node leaf, long word, long behind, int level) {
        Entry least = null;
        int index = 0;
        for (long part : new long[] {word & behind, word & ~behind}) {
            for (long left = part; left != 0; left &= left - 1) {
                int next = Long.numberOfTrailingZeros(left);
                Entry entry = leaf.entry(next);
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
        Node child = (Node) node.below(index);
        if (child == null) {
            throw new AssertionError("a bit without a node");
        }
        return child;
    }

    /** To pack: whether no other worker seems to be of a level that is preferred. */
    private boolean isBest(Entry entry) {
        int level = entry.level();
        if (level == NONE) {
            return false;
        }
        for (int i = 0; inOrder(i) != level; i++) {
            if (isAnotherOf(inOrder(i), entry)) {
                return false;
            }
        }
        return true;
    }

    /** The worker's own bit there is an old one, and will be right again when it is taken. */
    private static boolean isAnotherOf(int level, Entry entry) {
        int index = indexOf(entry);
        for (Node node = entry.leaf(); node != null; node = node.above) {
            if ((node.word(level) & ~(1L << index)) != 0) {
                return true;
            }
            index = node.index;
        }
        return false;
    }

    private int inOrder(int i) {
        return pack ? PACKED_LEVELS - 1 - i : i;
    }

    /** How many levels there are. */
    private int levels() {
        return pack ? PACKED_LEVELS : LEVELS;
    }

    /** The level of a worker with so many of its slots in use, none of them reported by the host. */
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

    /** Sets the bits that lead to a worker whose word has just been changed, whoever changed it. */
    static void note(Entry entry) {
        note(entry, entry.level());
    }

    /** The same, where the level is known. That may be an old one by now; then whoever changed it notes the new one. */
    static void note(Entry entry, int level) {
        if (level != NONE && !entry.leaf().has(level, indexOf(entry))) {
            entry.model().free().mark(entry.leaf(), indexOf(entry), level);
        }
    }

    private void mark(Node start, int startIndex, int level) {
        BEGUN.getAndAdd(this, 1L);
        try {
            int index = startIndex;
            for (Node node = start; node != null; node = node.above) {
                if (!node.has(level, index)) {
                    node.change(level, index, true);
                }
                index = node.index;
            }
        } finally {
            ENDED.getAndAdd(this, 1L);
        }
    }

    /** Clears a bit that has misled us, and sets what belongs there. */
    private void correct(Node node, int index, int level) {
        BEGUN.getAndAdd(this, 1L);
        try {
            node.change(level, index, false);
            noteBelow(node, index, level);
        } finally {
            ENDED.getAndAdd(this, 1L);
        }
    }

    private void noteBelow(Node node, int index, int level) {
        if (node.isLeaf()) {
            Entry entry = node.entry(index);
            if (entry != null) {
                note(entry);
            }
        } else if (child(node, index).word(level) != 0) {
            mark(node, index, level);
        }
    }
}
