package io.github.workerregistry;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Which worker a thread used last, for each model: a small table in which anybody may overwrite anybody. What it says
 * is never more than a guess; it may be a worker that has left, which gives no slot.
 */
final class Hints {

    private static final VarHandle TABLE = MethodHandles.arrayElementVarHandle(Entry[].class);

    /** 4,096 places: pairs of a thread and a model that share one push each other out. */
    private static final int BITS = 12;

    /** Entries apart from one another, so that no two share a cache line. */
    private static final int STRIDE = 16;

    private final @Nullable Entry[] table = new Entry[STRIDE << BITS];

    /** The worker of this model that this thread used last; null if that is not known. */
    @Nullable
    Entry get(FreeSlots model) {
        Entry entry = (Entry) TABLE.getAcquire(table, index(model));
        return entry != null && entry.isOf(model) ? entry : null;
    }

    void set(FreeSlots model, Entry entry) {
        int index = index(model);
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

    private static int index(FreeSlots model) {
        int hash = ((int) Thread.currentThread().getId() ^ model.seed()) * 0x9E3779B9;
        return (hash >>> (Integer.SIZE - BITS)) * STRIDE;
    }
}
