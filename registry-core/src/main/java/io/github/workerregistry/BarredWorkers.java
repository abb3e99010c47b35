package io.github.workerregistry;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Failed leases under check, by worker. While a worker is in this table, the checking bit of its word is set, and none
 * of its slots is leased.
 *
 * <p>The bit and the table change together, inside the table's {@code compute}: releasing a slot as failed and entering
 * its lease here are one step. A check that passes therefore never clears the bit for a lease that failed after the
 * check began.
 */
final class BarredWorkers {

    private final ConcurrentMap<WorkerEntry, Check> byWorker = new ConcurrentHashMap<>();

    /** The leases of one incarnation that failed since its last passed check, latest last; not empty. */
    private record Check(Incarnation incarnation, List<FailedLease> failed) {

        Check(FailedLease first) {
            this(first.lease().incarnation(), List.of(first));
        }

        Check with(FailedLease next) {
            List<FailedLease> more = new ArrayList<>(failed);
            more.add(next);
            return new Check(incarnation, more);
        }

        @Nullable
        Check without(FailedLease one) {
            List<FailedLease> fewer = new ArrayList<>(failed);
            fewer.remove(one);
            return fewer.isEmpty() ? null : new Check(incarnation, fewer);
        }

        boolean hasLatest(FailedLease one) {
            return failed.get(failed.size() - 1) == one;
        }
    }

    /** The leases whose checks a step has finished. */
    private static final class Finished {
        private List<FailedLease> leases = List.of();
    }

    /** Progress of {@link #add}, readable after it has thrown. */
    static final class Progress {
        private boolean released;
        private List<FailedLease> stale = List.of();

        /** Whether the slot has been released and the worker is barred. */
        boolean isReleased() {
            return released;
        }

        /** Leases of an earlier incarnation whose end has not been reported yet. */
        List<FailedLease> stale() {
            return stale;
        }
    }

    /** Releases the slot of a lease and bars further leases of its worker, unless the worker has been removed. */
    void add(FailedLease failed, Progress progress) {
        SlotLease lease = failed.lease();
        byWorker.compute(lease.entry(), (entry, known) -> {
            boolean sameIncarnation = known != null && known.incarnation.equals(lease.incarnation());
            Check next = sameIncarnation ? known.with(failed) : new Check(failed); // allocate first: memory may run out
            if (!entry.releaseFailed(lease.stamp())) {
                return known;
            }
            progress.released = true;
            progress.stale = known == null || sameIncarnation ? List.of() : known.failed;
            return next;
        });
    }

    /** Clears the checking bit of a worker that has no lease in this table. */
    void repair(WorkerEntry entry) {
        if (byWorker.get(entry) == null) {
            entry.endChecking();
        }
    }

    /** Finishes the check for this lease and all that failed before it. Returns them; none if a lease failed since. */
    List<FailedLease> pass(FailedLease failed) {
        return change(failed.lease().entry(), (check, finished) -> {
            if (!check.hasLatest(failed)) {
                return check;
            }
            finished.leases = check.failed;
            return null;
        });
    }

    /** Removes one lease; others of its worker stay under check. Returns it if it was in this table. */
    List<FailedLease> withdraw(FailedLease failed) {
        return change(failed.lease().entry(), (check, finished) -> {
            if (!check.failed.contains(failed)) {
                return check;
            }
            finished.leases = List.of(failed);
            return check.without(failed);
        });
    }

    /** An incarnation has ended. Returns its leases that were under check. */
    List<FailedLease> incarnationEnded(WorkerEntry entry, Incarnation incarnation) {
        return change(entry, (check, finished) -> {
            if (!check.incarnation.equals(incarnation)) {
                return check;
            }
            finished.leases = check.failed;
            return null;
        });
    }

    private interface Step {
        @Nullable
        Check apply(Check check, Finished finished);
    }

    private List<FailedLease> change(WorkerEntry entry, Step step) {
        Finished finished = new Finished();
        // No lock-free containsKey first: it does not see a lease that is being added, whose slot has been released
        // already, and whose worker may have ended since.
        byWorker.computeIfPresent(entry, (key, check) -> {
            Check next = step.apply(check, finished);
            if (next == null) {
                entry.endChecking(); // no effect on a next generation that has not begun or is not under check
            }
            return next;
        });
        return finished.leases;
    }
}
