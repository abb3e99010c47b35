package io.github.workerregistry.process;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Counts the unsure searches of one tree, for callers that poll until a search is complete and must terminate. Not
 * thread-safe.
 */
final class UnsureSearches {

    /** After unsure searches for this time, a process without a visible environment is ignored. */
    private static final Duration MAX_UNSURE_TIME = Duration.ofSeconds(2);

    /**
     * Minimum number of consecutive unsure searches: on a loaded machine each takes long, and may meet another such
     * process.
     */
    private static final int MIN_UNSURE_SEARCHES = 5;

    private final LongSupplier nanoTime;
    private int inARow;
    private long since;

    UnsureSearches(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * Whether a search is complete, or searches have been unsure for too long; if false, search again later. Failed
     * searches never count as unsure.
     */
    boolean conclude(TreeSearch.Result result) {
        if (result != TreeSearch.Result.UNSURE) {
            inARow = 0;
            return result == TreeSearch.Result.COMPLETE;
        }
        long now = nanoTime.getAsLong();
        if (inARow++ == 0) {
            since = now;
        }
        return inARow >= MIN_UNSURE_SEARCHES && now - since >= MAX_UNSURE_TIME.toNanos();
    }
}
