package io.github.workerregistry;

import io.github.workerregistry.ChecksUnderWay.Progress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjLongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has workers checked of which a lease has failed: bars further leases, asks the checkers, and ends the check when they
 * say so, or when the worker has gone. Nothing of this is touched while no lease fails.
 *
 * <p>No worker is barred for ever: a checker that never answers (its scheduler is gone, or blocked) is not waited for
 * longer than it said, and a second, in real time. Checkers, those who wait, and dependents of
 * {@link SlotLease#whenEnded} are called with no lock held.
 */
final class LeaseChecks {

    private static final Logger log = LoggerFactory.getLogger(LeaseChecks.class);

    /** How much longer than it said a checker may take, before it is taken for lost. */
    private static final long SLACK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long LONGEST_NANOS = TimeUnit.DAYS.toNanos(36_500);

    private final LeaseEnds ends;
    private final ObjLongConsumer<FailedLease> timer;
    private final List<Registration> checkers = new CopyOnWriteArrayList<>();
    private final ChecksUnderWay underWay = new ChecksUnderWay();

    LeaseChecks(LeaseEnds ends) {
        this(ends, FailedLease::resumeAfter);
    }

    /**
     * No checks.
     *
     * @param timer resumes a failed lease after so many nanoseconds
     */
    LeaseChecks(LeaseEnds ends, ObjLongConsumer<FailedLease> timer) {
        this.ends = ends;
        this.timer = timer;
    }

    /** A checker's place, of which it may have several. */
    private final class Registration implements Subscription {
        private final LeaseChecker checker;

        Registration(LeaseChecker checker) {
            this.checker = checker;
        }

        @Override
        public void close() {
            checkers.remove(this);
        }
    }

    Subscription register(LeaseChecker checker) {
        Registration registration = new Registration(checker);
        checkers.add(registration);
        return registration;
    }

    /** Releases the slot of a lease that has just been marked as failed, and has its worker checked. */
    void release(SlotLease lease, Throwable cause) {
        FailedLease failed = checkers.isEmpty() ? null : bar(lease, cause);
        if (failed == null) {
            lease.releaseFailed();
        } else {
            log.debug("worker {}: a lease failed: {}", lease.workerId(), LogText.describe(cause));
            ask(failed);
        }
        lease.entry().model().closed(lease);
    }

    /** Releases the slot and bars the worker; null if it is not to be checked: it has gone, or there is no memory. */
    private @Nullable FailedLease bar(SlotLease lease, Throwable cause) {
        Progress progress = new Progress();
        try {
            FailedLease failed = new FailedLease(this, lease, cause);
            underWay.add(failed, progress);
            end(progress.former(), SlotLease.LOST);
            return progress.isReleased() ? failed : null;
        } catch (Throwable t) { // no memory, or no stack
            if (progress.isReleased()) {
                lease.conclude(SlotLease.RELEASED);
                underWay.repair(lease.entry());
                lease.entry().offer();
            }
            return null;
        }
    }

    private void ask(FailedLease failed) {
        try {
            Duration atMost = firstThatChecks(failed);
            if (atMost != null && !atMost.isNegative() && !atMost.isZero()) {
                timer.accept(failed, Math.min(TimeUnit.NANOSECONDS.convert(atMost), LONGEST_NANOS) + SLACK_NANOS);
                return;
            }
        } catch (Throwable t) { // no thread for the JDK's timer, no memory: better no check than one without an end
            tell(failed, t);
        }
        release(failed, underWay.withdraw(failed));
    }

    private static void tell(FailedLease failed, Throwable why) {
        try {
            log.debug(
                    "worker {}: its check cannot be begun, or timed",
                    failed.worker().id(),
                    LogText.of(why));
        } catch (Throwable unheard) {
            // There may be no memory for the log either.
        }
    }

    /** How long the check may take; null if nobody checks the worker. */
    private @Nullable Duration firstThatChecks(FailedLease failed) {
        for (boolean drives : new boolean[] {true, false}) {
            for (Registration registration : checkers) {
                Optional<Duration> atMost = ask(registration.checker, drives, failed);
                if (atMost.isPresent()) {
                    return atMost.get();
                }
            }
        }
        return null;
    }

    /** The one guard around a checker. */
    private static Optional<Duration> ask(LeaseChecker checker, boolean drives, FailedLease failed) {
        try {
            return checker.drives(failed.worker()) == drives
                    ? checker.check(failed).or(Optional::empty) // which null does not pass
                    : Optional.empty();
        } catch (Throwable t) { // foreign code
            log.warn(
                    "worker {}: a checker of failed leases failed; the next one is asked",
                    failed.worker().id(),
                    LogText.of(t));
            return Optional.empty();
        }
    }

    boolean resume(FailedLease failed) {
        List<FailedLease> passed = underWay.pass(failed);
        release(failed, passed);
        return !passed.isEmpty();
    }

    private void release(FailedLease failed, List<FailedLease> over) {
        if (!over.isEmpty()) {
            failed.lease().entry().offer();
            end(over, SlotLease.RELEASED);
        }
    }

    /** The process of a worker's generation has gone, or its record. Called with no lock held. */
    void incarnationEnded(Entry entry, int generation) {
        end(underWay.lose(entry, generation), SlotLease.LOST);
    }

    private void end(List<FailedLease> over, byte how) {
        for (FailedLease failed : over) {
            failed.end(how);
            ends.settle(failed.lease());
        }
    }
}
