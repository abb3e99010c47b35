package io.github.workerregistry;

import org.jspecify.annotations.Nullable;

/** The leases that each thread holds. */
final class Leases {

    private static final int MOST = 8;

    private final @Nullable SlotLease[][] held = new SlotLease[4][MOST];
    private final int[] count = new int[4];

    /**
     * Who holds what a thread takes. Lincheck gives the threads numbers from 1 on; to what is called before them it
     * gives 0, and that leaves its leases to the first of them.
     */
    static int holder(int thread) {
        return Math.max(0, thread - 1);
    }

    /** Keeps a lease; false if there is none. */
    boolean keep(int thread, @Nullable SlotLease lease) {
        int holder = holder(thread);
        if (lease != null) {
            held[holder][count[holder]++] = lease;
        }
        return lease != null;
    }

    /** The lease that the thread took last and holds; null if it holds none. */
    @Nullable
    SlotLease last(int thread) {
        int holder = holder(thread);
        return count[holder] == 0 ? null : held[holder][count[holder] - 1];
    }

    /** The same, and the thread holds it no longer. */
    @Nullable
    SlotLease dropLast(int thread) {
        SlotLease last = last(thread);
        if (last != null) {
            count[holder(thread)]--;
        }
        return last;
    }
}
