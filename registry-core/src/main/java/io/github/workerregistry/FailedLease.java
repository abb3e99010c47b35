package io.github.workerregistry;

import io.github.workerregistry.internal.JdkTimer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A lease that has failed, and whose worker is being checked: until {@link #resume()} no slot of that worker is leased.
 * Thread-safe.
 *
 * @since 0.1
 */
public final class FailedLease {

    private final LeaseChecks checks;
    private final SlotLease lease;
    private final WorkerInfo worker;
    private final Throwable cause;
    private volatile @Nullable CompletableFuture<Void> timer;
    private volatile boolean over;

    FailedLease(LeaseChecks checks, SlotLease lease, Throwable cause) {
        this.checks = checks;
        this.lease = lease;
        this.worker = lease.worker();
        this.cause = cause;
    }

    /**
     * The worker, as it was when the lease failed.
     *
     * @return the worker; its id, generation and start tell which process to check
     */
    public WorkerInfo worker() {
        return worker;
    }

    /**
     * Why the lease failed.
     *
     * @return what was given to {@link SlotLease#fail}
     */
    public Throwable cause() {
        return cause;
    }

    /**
     * The worker has passed its check, or is not checked any longer: its slots are leased again. Does nothing if
     * another lease of the same worker has failed since, because a check that began before says nothing about that, or
     * if the worker has been restarted or removed. Callers that wait for a slot are served on this thread.
     *
     * @return whether slots of the worker are leased again because of this call
     */
    public boolean resume() {
        return checks.resume(this);
    }

    SlotLease lease() {
        return lease;
    }

    /** Resumes after that time, if that has not been done before: on the JDK's timer, which needs no thread of ours. */
    void resumeAfter(long nanos) {
        CompletableFuture<Void> after = new CompletableFuture<>();
        timer = after;
        if (over) {
            return;
        }
        after.thenRun(this::resume);
        JdkTimer.complete(after, nanos);
    }

    /** The check is over. */
    void end(byte how) {
        over = true;
        CompletableFuture<Void> running = timer;
        if (running != null) {
            running.complete(null); // so that the JDK's timer forgets it
        }
        lease.conclude(how);
    }
}
