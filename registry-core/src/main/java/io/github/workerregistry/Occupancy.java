package io.github.workerregistry;

/**
 * The layout of a worker's occupancy word, which alone decides whether a slot is free. Pure functions from word to
 * word.
 *
 * <pre>
 *  63..38 stamp | 37 watched | 36 checking | 35 moving | 34 removed | 33 reported | 32 routable | 31 used | 30..0 in use
 * </pre>
 *
 * <p>{@code stamp}: a lease is valid for a word with the stamp under which it was acquired. The stamp changes with each
 * generation and with each occupancy that the hive reports. For a worker with one slot it also changes with each lease:
 * the word then identifies the lease that holds the slot, and one compare-and-set releases it, however many threads try
 * at once. (The stamp has 26 bits. A void lease, or one closed by two threads, could be mistaken for another only if
 * closed exactly 2<sup>26</sup> leases later.) With more slots, each lease records its own end.
 *
 * <p>{@code reported}: the hive reports the occupancy itself, so no slot can be leased.
 *
 * <p>{@code used}: the worker was used since the registry last read it. It moves {@code lastActivity} without a clock
 * reading on the lease path.
 *
 * <p>{@code checking}: a lease has failed, and no slot is leased until the worker has been checked, see
 * {@link LeaseCheckCoordinator}; or the hive holds or has ended its leasing. Cleared with the next generation.
 *
 * <p>{@code watched}: the release of the last slot in use concerns {@link IdleActions}.
 *
 * <p>{@code moving}: a transition has written the word, but not yet the value of the {@link WorkerEntry}.
 */
final class Occupancy {

    /** The word of a removed worker: no lease is valid for it, and no slot can be acquired. */
    static final long REMOVED = 1L << 34;

    private static final long ONE_SLOT = 1;
    private static final long IN_USE = 0x7FFF_FFFFL;
    private static final long USED = 1L << 31;
    private static final long ROUTABLE = 1L << 32;
    private static final long REPORTED = 1L << 33;
    private static final long MOVING = 1L << 35;
    private static final long CHECKING = 1L << 36;
    private static final long WATCHED = 1L << 37;
    private static final int STAMP_SHIFT = 38;
    private static final long NEXT_STAMP = 1L << STAMP_SHIFT;

    private Occupancy() {}

    /** The word for a worker, with the stamp and the checking and watched bits of another word, and not used. */
    static long of(WorkerInfo worker, boolean reported, long stamped) {
        long kept = worker.slotsInUse() > 0 ? CHECKING | WATCHED : CHECKING;
        long word = ((stamped >>> STAMP_SHIFT) << STAMP_SHIFT) | (stamped & kept) | worker.slotsInUse();
        if (worker.state().routable()) {
            word |= ROUTABLE;
        }
        return reported ? word | REPORTED : word;
    }

    /** The word with the next stamp: earlier leases are void. */
    static long restamp(long word) {
        return word + NEXT_STAMP;
    }

    static boolean canAcquire(long word, int slots) {
        return isLeased(word) && inUse(word) < slots;
    }

    /** Whether its slots are leased, if one is free. */
    static boolean isLeased(long word) {
        return (word & (ROUTABLE | REPORTED | CHECKING)) == ROUTABLE;
    }

    /** The amount that an acquired slot adds to the word of a worker with {@code slots} slots. */
    static long acquireDelta(int slots) {
        return slots == 1 ? NEXT_STAMP + ONE_SLOT : ONE_SLOT;
    }

    static long acquire(long word, long acquireDelta) {
        return word + acquireDelta | USED;
    }

    static long release(long word) {
        return word - ONE_SLOT | USED;
    }

    /** Releases a slot; no slot can be acquired until the worker has been {@link #checked}. */
    static long releaseFailed(long word) {
        return checking(release(word));
    }

    static long checking(long word) {
        return word | CHECKING;
    }

    static long checked(long word) {
        return word & ~CHECKING;
    }

    static boolean isChecking(long word) {
        return (word & CHECKING) != 0;
    }

    static long watched(long word) {
        return word | WATCHED;
    }

    static long unwatched(long word) {
        return word & ~WATCHED;
    }

    /** Whether the worker is watched and has no slot in use (any more). */
    static boolean endsWatch(long word) {
        return (word & (WATCHED | IN_USE)) == WATCHED;
    }

    /** Whether an open lease acquired under that stamp still holds a slot under this word. */
    static boolean isHeldUnder(long word, int stamp) {
        return inUse(word) > 0 && stamp(word) == stamp;
    }

    static int inUse(long word) {
        return (int) (word & IN_USE);
    }

    static boolean isUsed(long word) {
        return (word & USED) != 0;
    }

    static long clearUsed(long word) {
        return word & ~USED;
    }

    static boolean isReported(long word) {
        return (word & REPORTED) != 0;
    }

    static int stamp(long word) {
        return (int) (word >>> STAMP_SHIFT);
    }

    static long moving(long word) {
        return word | MOVING;
    }

    static long moved(long word) {
        return word & ~MOVING;
    }

    static boolean isRemoved(long word) {
        return (word & REMOVED) != 0;
    }

    /**
     * Whether word and value are consistent: no transition is between its two writes, and the worker is not removed.
     */
    static boolean isReadable(long word) {
        return (word & (MOVING | REMOVED)) == 0;
    }

    /**
     * Whether the worker is Idle and was not used since the registry last read it: no bit but the stamp and
     * {@code routable} is set. The value then needs no correction from the word.
     */
    static boolean isAtRest(long word) {
        return (word & (NEXT_STAMP - 1)) == ROUTABLE;
    }
}
