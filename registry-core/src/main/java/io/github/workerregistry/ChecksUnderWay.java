package io.github.workerregistry;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The leases that have failed, by their workers, which are being checked. While a worker is in here, a bit of its word
 * says so, and no slot of it is leased.
 *
 * <p>That bit and this table change together, in the table's {@code compute}: a slot is released as failed, and noted
 * here, in one step. So a check that has passed never lifts the bit for a lease that failed after it began.
 */
final class ChecksUnderWay {

    private final ConcurrentMap<Entry, Check> byWorker = new ConcurrentHashMap<>();

    /**
     * The leases of one generation that have failed since it passed its last check, the latest at the end; not empty.
     */
    private record Check(int generation, List<FailedLease> failed) {

        Check(FailedLease first) {
            this(first.lease().generation(), List.of(first));
        }

        Check with(FailedLease next) {
            List<FailedLease> more = new ArrayList<>(failed);
            more.add(next);
            return new Check(generation, more);
        }

        @Nullable
        Check without(FailedLease one) {
            List<FailedLease> fewer = new ArrayList<>(failed);
            fewer.remove(one);
            return fewer.isEmpty() ? null : new Check(generation, fewer);
        }

        boolean hasLatest(FailedLease one) {
            return failed.get(failed.size() - 1) == one;
        }
    }

    /** What a step has changed: which checks are over. */
    private static final class Over {
        private List<FailedLease> leases = List.of();
    }

    /** How far a lease has come; for a caller that is thrown out of {@link #add}. */
    static final class Progress {
        private boolean released;
        private List<FailedLease> former = List.of();

        /** Whether its slot has been released, and no slot of its worker can be taken. */
        boolean isReleased() {
            return released;
        }

        /** Those of an earlier generation, whose end has not been told here yet. */
        List<FailedLease> former() {
            return former;
        }
    }

    /** Releases the slot of a lease and bars further leases of its worker, unless the worker has gone. */
    void add(FailedLease failed, Progress progress) {
        SlotLease lease = failed.lease();
        byWorker.compute(lease.entry(), (entry, known) -> {
            boolean goesOn = known != null && known.generation == lease.generation();
            Check next = goesOn ? known.with(failed) : new Check(failed); // first: there may be no memory for it
            if (!entry.giveFailed(lease.stamp())) {
                return known;
            }
            progress.released = true;
            progress.former = known == null || goesOn ? List.of() : known.failed;
            return next;
        });
    }

    /** Lets a worker be leased again of which no lease is in here, though one was released as failed. */
    void repair(Entry entry) {
        if (byWorker.get(entry) == null) {
            entry.endChecking();
        }
    }

    /** A check has passed, and with it all leases that failed before. Gives those; none if others failed since. */
    List<FailedLease> pass(FailedLease failed) {
        return change(failed.lease().entry(), (check, over) -> {
            if (!check.hasLatest(failed)) {
                return check;
            }
            over.leases = check.failed;
            return null;
        });
    }

    /** A lease is not checked after all; others of its worker still may be. Gives it, if it is in here. */
    List<FailedLease> withdraw(FailedLease failed) {
        return change(failed.lease().entry(), (check, over) -> {
            if (!check.failed.contains(failed)) {
                return check;
            }
            over.leases = List.of(failed);
            return check.without(failed);
        });
    }

    /** A generation has gone. Gives its leases that were being checked. */
    List<FailedLease> lose(Entry entry, int generation) {
        return change(entry, (check, over) -> {
            if (check.generation != generation) {
                return check;
            }
            over.leases = check.failed;
            return null;
        });
    }

    private interface Step {
        @Nullable
        Check take(Check check, Over over);
    }

    private List<FailedLease> change(Entry entry, Step step) {
        Over over = new Over();
        // Not after a look without waiting, which does not see a lease that is being added: its slot has been released
        // already, and its worker may have gone since.
        byWorker.computeIfPresent(entry, (key, check) -> {
            Check next = step.take(check, over);
            if (next == null) {
                entry.endChecking(); // does nothing to a next generation, which has not begun, or is not checked
            }
            return next;
        });
        return over.leases;
    }
}
