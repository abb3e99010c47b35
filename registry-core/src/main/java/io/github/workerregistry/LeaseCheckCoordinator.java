package io.github.workerregistry;

import io.github.workerregistry.BarredWorkers.Progress;
import io.github.workerregistry.internal.LogText;
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
 * Coordinates checks of workers with a failed lease: bars further leases, asks the checkers, and ends the check when a
 * checker resumes it or the worker ends. Not on the path of leases that do not fail.
 *
 * <p>No worker stays barred forever: if a checker never answers (its scheduler is shut down or blocked), the check ends
 * one second of real time after the checker's own limit. Checkers, waiters, and dependents of
 * {@link SlotLease#whenEnded} are called with no lock held.
 */
final class LeaseCheckCoordinator {

    private static final Logger log = LoggerFactory.getLogger(LeaseCheckCoordinator.class);

    /** Added to a checker's own limit before the check is ended without it. */
    private static final long SLACK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long LONGEST_NANOS = TimeUnit.DAYS.toNanos(36_500);

    private final LeaseEndFutures ends;
    private final ObjLongConsumer<FailedLease> timer;
    private final List<Registration> checkers = new CopyOnWriteArrayList<>();
    private final BarredWorkers barred = new BarredWorkers();

    LeaseCheckCoordinator(LeaseEndFutures ends) {
        this(ends, FailedLease::resumeAfter);
    }

    /**
     * Creates a coordinator without checkers.
     *
     * @param timer resumes a failed lease after the given number of nanoseconds
     */
    LeaseCheckCoordinator(LeaseEndFutures ends, ObjLongConsumer<FailedLease> timer) {
        this.ends = ends;
        this.timer = timer;
    }

    /** One registration of a checker; a checker may have several. */
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

    /** Releases the slot of a lease that has just been marked as failed, and starts the check of its worker. */
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

    /** Releases the slot and bars the worker; null if there is no check: the worker has ended, or memory ran out. */
    private @Nullable FailedLease bar(SlotLease lease, Throwable cause) {
        Progress progress = new Progress();
        try {
            FailedLease failed = new FailedLease(this, lease, cause);
            barred.add(failed, progress);
            end(progress.stale(), SlotLease.LOST);
            return progress.isReleased() ? failed : null;
        } catch (Throwable t) { // out of memory, or stack overflow
            if (progress.isReleased()) {
                lease.conclude(SlotLease.RELEASED);
                barred.repair(lease.entry());
                lease.entry().offer();
            }
            return null;
        }
    }

    private void ask(FailedLease failed) {
        try {
            Duration atMost = firstAccepting(failed);
            if (atMost != null && !atMost.isNegative() && !atMost.isZero()) {
                timer.accept(failed, Math.min(TimeUnit.NANOSECONDS.convert(atMost), LONGEST_NANOS) + SLACK_NANOS);
                return;
            }
        } catch (Throwable t) { // no thread for the JDK's timer, or no memory: no check rather than an endless one
            logFailure(failed, t);
        }
        release(failed, barred.withdraw(failed));
    }

    private static void logFailure(FailedLease failed, Throwable why) {
        try {
            log.debug(
                    "worker {}: the check of a failed lease could not be started",
                    failed.worker().id(),
                    LogText.of(why));
        } catch (Throwable ignored) {
            // Logging may fail for want of memory, too.
        }
    }

    /** How long the check may take; null if no checker accepts the worker. */
    private @Nullable Duration firstAccepting(FailedLease failed) {
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

    /** Guards the call of a checker. */
    private static Optional<Duration> ask(LeaseChecker checker, boolean drives, FailedLease failed) {
        try {
            return checker.drives(failed.worker()) == drives
                    ? checker.check(failed).or(Optional::empty) // rejects null
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
        List<FailedLease> passed = barred.pass(failed);
        if (!passed.isEmpty()) {
            failed.countFailedRequest();
        }
        release(failed, passed);
        return !passed.isEmpty();
    }

    private void release(FailedLease failed, List<FailedLease> finished) {
        if (!finished.isEmpty()) {
            failed.lease().entry().offer();
            end(finished, SlotLease.RELEASED);
        }
    }

    /** A worker's process has exited, or its record was removed. Called with no lock held. */
    void incarnationEnded(WorkerEntry entry, Incarnation incarnation) {
        end(barred.incarnationEnded(entry, incarnation), SlotLease.LOST);
    }

    private void end(List<FailedLease> finished, byte how) {
        for (FailedLease failed : finished) {
            failed.end(how);
            ends.settle(failed.lease());
        }
    }
}
