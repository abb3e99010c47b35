package io.github.workerregistry;

import io.github.workerregistry.internal.JdkTimer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A failed lease whose worker is being checked. No slot of that worker is leased until {@link #resume()}. Thread-safe.
 *
 * @since 0.1
 */
public final class FailedLease {

    private final LeaseCheckCoordinator checks;
    private final SlotLease lease;
    private final WorkerInfo worker;
    private final Throwable cause;
    private volatile @Nullable CompletableFuture<Void> timer;
    private volatile boolean ended;
    private volatile int failures;

    FailedLease(LeaseCheckCoordinator checks, SlotLease lease, Throwable cause) {
        this.checks = checks;
        this.lease = lease;
        this.worker = lease.worker();
        this.cause = cause;
    }

    /**
     * The worker as it was when the lease failed.
     *
     * @return the worker; its id, generation and start identify the process to check
     */
    public WorkerInfo worker() {
        return worker;
    }

    /**
     * Why the lease failed.
     *
     * @return the cause passed to {@link SlotLease#fail}
     */
    public Throwable cause() {
        return cause;
    }

    /**
     * Reports that the worker passed its check, or is no longer checked: its slots are leased again. Does nothing if
     * the worker has been restarted or removed, or if another lease of it has failed since: a check that began before
     * that failure does not cover it. Waiting callers are served on this thread.
     *
     * @return whether this call made the worker's slots available again
     */
    public boolean resume() {
        return checks.resume(this);
    }

    /**
     * Number of checks in a row that ended with {@link #resume()}, this one included, since a lease of this incarnation
     * was last closed normally: requests fail though the worker is alive. Leases that fail before one check count as
     * one.
     *
     * @return the number; 0 before {@link #resume()} has returned true
     */
    public int failuresInARow() {
        return failures;
    }

    /** The check has found the worker alive. */
    void countFailedRequest() {
        failures = lease.entry().countFailedRequest();
    }

    SlotLease lease() {
        return lease;
    }

    /**
     * Resumes after the given time unless the check has ended before; on the JDK's timer, without a thread of this
     * library.
     */
    void resumeAfter(long nanos) {
        CompletableFuture<Void> after = new CompletableFuture<>();
        timer = after;
        if (ended) {
            return;
        }
        after.thenRun(this::resume);
        JdkTimer.complete(after, nanos);
    }

    /** The check is over. */
    void end(byte how) {
        ended = true;
        CompletableFuture<Void> running = timer;
        if (running != null) {
            running.complete(null); // so that the JDK's timer drops it
        }
        lease.conclude(how);
    }
}
