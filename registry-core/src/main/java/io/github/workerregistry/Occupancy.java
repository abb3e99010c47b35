package io.github.workerregistry;

/**
 * The layout of the one word that is the truth about a worker's slots. Pure functions from word to word.
 *
 * <pre>
 *  63..37 stamp | 36 checking | 35 moving | 34 gone | 33 reported | 32 routable | 31 used | 30..0 slots in use
 * </pre>
 *
 * <p>A lease fits the word while the {@code stamp} is the one it was taken under. That moves with each generation and
 * each occupancy that the host reports; and, where there is one slot only, with each lease. So there the word names the
 * lease that holds the slot, and one compare-and-set on it gives the slot back, however many threads try at once. (It
 * has 27 bits: to be mistaken for another, a lease that has become void, or that two threads close, would have to be
 * closed exactly 2<sup>27</sup> leases later.) Where there are more slots, a lease keeps account of its end itself.
 *
 * <p>{@code reported} says that the host reports the occupancy itself, so that nobody can lease. {@code used} says that
 * the worker did something since the registry last looked; that is how {@code lastActivity} moves without a clock on
 * the lease path.
 *
 * <p>{@code checking} says that a lease has failed, and that no slot is leased until the worker has been checked; see
 * {@link LeaseChecks}. It ends with the generation.
 *
 * <p>{@code moving} says that a transition has written the word, and the value of the {@link Entry} is still to follow.
 */
final class Occupancy {

    /** The word of a worker that has left: no lease fits it any more, and none can be taken. */
    static final long GONE = 1L << 34;

    private static final long ONE_SLOT = 1;
    private static final long IN_USE = 0x7FFF_FFFFL;
    private static final long USED = 1L << 31;
    private static final long ROUTABLE = 1L << 32;
    private static final long REPORTED = 1L << 33;
    private static final long MOVING = 1L << 35;
    private static final long CHECKING = 1L << 36;
    private static final int STAMP_SHIFT = 37;
    private static final long NEXT_STAMP = 1L << STAMP_SHIFT;

    private Occupancy() {}

    /** The word for a worker as it is, under the stamp of another word, checked if that is, and not used since. */
    static long of(WorkerInfo worker, boolean reported, long stamped) {
        long word = ((stamped >>> STAMP_SHIFT) << STAMP_SHIFT) | (stamped & CHECKING) | worker.slotsInUse();
        if (worker.state().routable()) {
            word |= ROUTABLE;
        }
        return reported ? word | REPORTED : word;
    }

    /** The same word, but no lease fits it that was taken before. */
    static long restamp(long word) {
        return word + NEXT_STAMP;
    }

    static boolean canTake(long word, int slots) {
        return (word & (ROUTABLE | REPORTED | CHECKING)) == ROUTABLE && inUse(word) < slots;
    }

    /** What taking one of so many slots adds to the word. */
    static long takingOneOf(int slots) {
        return slots == 1 ? NEXT_STAMP + ONE_SLOT : ONE_SLOT;
    }

    static long take(long word, long takingOne) {
        return word + takingOne | USED;
    }

    static long give(long word) {
        return word - ONE_SLOT | USED;
    }

    /** The same, but no slot can be taken until the worker has been {@link #checked}. */
    static long giveFailed(long word) {
        return checking(give(word));
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

    /** Whether a lease that was taken under that stamp, and has not been closed, still holds a slot under this word. */
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

    static boolean isGone(long word) {
        return (word & GONE) != 0;
    }

    /** Whether word and value tell of one moment: no transition is between its writes, and the worker is here. */
    static boolean isReadable(long word) {
        return (word & (MOVING | GONE)) == 0;
    }

    /**
     * Whether the worker is Idle, and has not been used since the last look: nothing but the stamp is set besides. Then
     * the value is the whole truth, because a routable one has no slots in use of its own but those that are reported.
     */
    static boolean isAtRest(long word) {
        return (word & (NEXT_STAMP - 1)) == ROUTABLE;
    }
}
