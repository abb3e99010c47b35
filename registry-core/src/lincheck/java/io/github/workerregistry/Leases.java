package io.github.workerregistry;

import org.jspecify.annotations.Nullable;

/** The open leases of each thread. */
final class Leases {

    private static final int CAPACITY = 8;

    private final @Nullable SlotLease[][] open = new SlotLease[4][CAPACITY];
    private final int[] count = new int[4];

    /**
     * The index of a thread. Lincheck numbers parallel threads from 1; operations before them have number 0 and count
     * as the first thread's.
     */
    static int index(int thread) {
        return Math.max(0, thread - 1);
    }

    /** Adds a lease; false if there is none. */
    boolean add(int thread, @Nullable SlotLease lease) {
        int index = index(thread);
        if (lease != null) {
            open[index][count[index]++] = lease;
        }
        return lease != null;
    }

    /** The open lease that the thread acquired last; null if it has none. */
    @Nullable
    SlotLease last(int thread) {
        int index = index(thread);
        return count[index] == 0 ? null : open[index][count[index] - 1];
    }

    /** Removes and returns {@link #last}. */
    @Nullable
    SlotLease removeLast(int thread) {
        SlotLease last = last(thread);
        if (last != null) {
            count[index(thread)]--;
        }
        return last;
    }
}
