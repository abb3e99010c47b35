package io.github.workerregistry;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * For each thread and model, the worker that the thread used last: a small lossy table. An entry is only a guess; it
 * may be a removed worker, which has no free slot.
 *
 * <p>Different threads thus use the words of different workers, and need not look up their model. (As in HikariCP's
 * {@code ConcurrentBag}, a thread first tries its own last choices.) The table is cleared before each evaluation of the
 * idle timeout, so that the threads converge on the first workers again.
 */
final class ThreadHints {

    private static final VarHandle TABLE = MethodHandles.arrayElementVarHandle(WorkerEntry[].class);

    /**
     * 16,384 places, 256 KB: enough for 8 threads of 1,000 models. Pairs of thread and model that share a place evict
     * each other, and then search. Removed workers stay reachable from this table only, until it is cleared.
     */
    private static final int BITS = 14;

    /** Spaces places to four per cache line; a place is rarely written. */
    private static final int STRIDE = 4;

    static final int PLACES = 1 << BITS;

    private final @Nullable WorkerEntry[] table = new WorkerEntry[STRIDE * PLACES];

    /**
     * Acquires a slot of the worker of this model that this thread used last, if there is no waiter and the selection
     * prefers no other worker; else returns null.
     */
    @Nullable
    SlotLease tryAcquireAgain(String modelRef) {
        WorkerEntry last = get(modelRef);
        return last == null ? null : last.model().tryAcquireAgain(last);
    }

    /** The worker of this model that this thread used last; null if unknown. */
    @Nullable
    WorkerEntry get(String modelRef) {
        WorkerEntry entry = (WorkerEntry) TABLE.getAcquire(table, index(modelRef));
        return entry != null && entry.modelRef().equals(modelRef) ? entry : null;
    }

    void set(WorkerEntry entry) {
        int index = index(entry.modelRef());
        if (TABLE.getAcquire(table, index) != entry) {
            TABLE.setRelease(table, index, entry);
        }
    }

    /** Clears the table: every thread starts with the first free worker again. */
    void clear() {
        for (int i = 0; i < table.length; i += STRIDE) {
            TABLE.setRelease(table, i, null);
        }
    }

    /** Spreads model names that differ only in a number, and threads with consecutive ids, by the golden ratio. */
    private static int index(String modelRef) {
        int hash =
                modelRef.hashCode() * 0x9E3779B9 + (int) Thread.currentThread().getId() * 0x85EBCA6B;
        return (hash >>> (Integer.SIZE - BITS)) * STRIDE;
    }
}
