package io.github.workerregistry;

import io.github.workerregistry.WorkerState.Stopping;

/**
 * The layout of the one word that is the truth about a worker's slots. Pure functions from word to word.
 *
 * <pre>
 *  63..34 generation (low 30 bits) | 33 reported | 32 routable | 31 used | 30..0 slots in use
 * </pre>
 *
 * <p>{@code reported} says that the host reports the occupancy itself, so that nobody can lease. {@code used} says that
 * the worker did something since the registry last looked; that is how {@code lastActivity} moves without a clock on
 * the lease path.
 */
final class Occupancy {

    private static final long ONE_SLOT = 1;
    private static final long IN_USE = 0x7FFF_FFFFL;
    private static final long USED = 1L << 31;
    private static final long ROUTABLE = 1L << 32;
    private static final long REPORTED = 1L << 33;
    private static final int GENERATION_SHIFT = 34;
    private static final int GENERATION_MASK = (1 << 30) - 1;

    private Occupancy() {}

    /** The word for a worker as it is, not used since. */
    static long of(WorkerInfo worker, boolean reported) {
        long word = (long) (worker.generation() & GENERATION_MASK) << GENERATION_SHIFT | worker.slotsInUse();
        if (worker.state().routable()) {
            word |= ROUTABLE;
        }
        return reported ? word | REPORTED : word;
    }

    /** The word of a worker that has left: no lease fits it any more, and none can be taken. */
    static long gone(long word) {
        return ((word >>> GENERATION_SHIFT) + 1) << GENERATION_SHIFT;
    }

    static boolean canTake(long word, int slots) {
        return (word & (ROUTABLE | REPORTED)) == ROUTABLE && inUse(word) < slots;
    }

    static long take(long word) {
        return word + ONE_SLOT | USED;
    }

    static long give(long word) {
        return word - ONE_SLOT | USED;
    }

    /** Whether a lease of that generation still holds a slot under this word. */
    static boolean isHeldBy(long word, int generation) {
        return inUse(word) > 0 && isGeneration(word, generation);
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

    static int generation(long word) {
        return (int) (word >>> GENERATION_SHIFT);
    }

    static boolean isGeneration(long word, int generation) {
        return generation(word) == (generation & GENERATION_MASK);
    }

    /** Whether word and value can tell of the same moment; not so between the two writes of a transition. */
    static boolean agrees(long word, WorkerInfo worker) {
        boolean routable = (word & ROUTABLE) != 0;
        return isGeneration(word, worker.generation())
                && routable == worker.state().routable()
                && (routable || inUse(word) == 0 || worker.state() instanceof Stopping);
    }
}
