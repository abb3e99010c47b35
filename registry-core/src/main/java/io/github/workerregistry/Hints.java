package io.github.workerregistry;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Of which worker a thread took a slot last, for each model: a small table in which anybody may overwrite anybody. What
 * it says is never more than a guess; it may be a worker that has left, which gives no slot.
 *
 * <p>So two threads work on two workers' words, and need not even look for their model. (After HikariCP's
 * {@code ConcurrentBag}, where a thread's own last choices come first.) With every look for idle workers the table is
 * cleared, and the threads gather at the first workers again.
 */
final class Hints {

    private static final VarHandle TABLE = MethodHandles.arrayElementVarHandle(Entry[].class);

    /**
     * 16,384 places, 256 KB: enough for 8 threads of 1,000 models. Pairs of a thread and a model that share one push
     * each other out, and then search. Of workers that have left, no more than these stay in memory, until the next
     * look for idle ones.
     */
    private static final int BITS = 14;

    /** Of four places to a cache line: a place is seldom written. */
    private static final int STRIDE = 4;

    static final int PLACES = 1 << BITS;

    private final @Nullable Entry[] table = new Entry[STRIDE * PLACES];

    /**
     * Takes a slot of the worker of this model that this thread used last, if nobody waits and the selection prefers no
     * other, or returns null.
     */
    @Nullable
    SlotLease tryTakeAgain(String modelRef) {
        Entry last = get(modelRef);
        return last == null ? null : last.model().tryTakeAgain(last);
    }

    /** The worker of this model that this thread used last; null if that is not known. */
    @Nullable
    Entry get(String modelRef) {
        Entry entry = (Entry) TABLE.getAcquire(table, index(modelRef));
        return entry != null && entry.modelRef().equals(modelRef) ? entry : null;
    }

    void set(Entry entry) {
        int index = index(entry.modelRef());
        if (TABLE.getAcquire(table, index) != entry) {
            TABLE.setRelease(table, index, entry);
        }
    }

    /** Forgets all: every thread begins with the first free worker again. */
    void clear() {
        for (int i = 0; i < table.length; i += STRIDE) {
            TABLE.setRelease(table, i, null);
        }
    }

    /** Spreads names that differ in a number alone (by the golden ratio), and threads that were started together. */
    private static int index(String modelRef) {
        int hash =
                modelRef.hashCode() * 0x9E3779B9 + (int) Thread.currentThread().getId() * 0x85EBCA6B;
        return (hash >>> (Integer.SIZE - BITS)) * STRIDE;
    }
}
