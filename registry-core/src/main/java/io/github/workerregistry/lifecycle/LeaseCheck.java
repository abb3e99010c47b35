package io.github.workerregistry.lifecycle;

import io.github.workerregistry.FailedLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.health.HealthStatus.Healthy;
import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The check of one worker since a lease of it failed. */
final class LeaseCheck {

    private static final Logger log = LoggerFactory.getLogger(LeaseCheck.class);

    /** An exit is noticed within a few milliseconds, mostly. Also the time between two probes that do not pass. */
    private static final Duration UNTIL_AN_EXIT_SHOWS = Duration.ofMillis(100);

    private final FailedLease lease;
    private final Instant since;
    private final AtomicBoolean busy = new AtomicBoolean();
    private Duration nextProbe = Duration.ZERO; // in a step only
    private volatile boolean cancelled;
    private volatile @Nullable CompletableFuture<HealthStatus> answer;

    LeaseCheck(FailedLease lease, Instant since) {
        this.lease = lease;
        this.since = since;
    }

    WorkerInfo worker() {
        return lease.worker();
    }

    Instant since() {
        return since;
    }

    /** Whether a record is that of the process whose lease failed. */
    boolean isOf(WorkerInfo record) {
        return record.incarnation().equals(worker().incarnation());
    }

    /** Takes a step for this thread alone; false if another thread is in the middle of one. */
    boolean begin() {
        return busy.compareAndSet(false, true);
    }

    void end() {
        busy.set(false);
    }

    /**
     * Passes, or probes, or waits.
     *
     * @param record the worker now
     * @param probe how to ask it; null if it cannot be asked
     * @param time how long ago the lease failed
     * @param atMost after which time it is not waited for a probe to pass
     * @return whether the check is over
     */
    boolean step(WorkerInfo record, @Nullable HealthProbe probe, Duration time, Duration atMost) {
        if (time.compareTo(probe == null ? UNTIL_AN_EXIT_SHOWS : atMost) >= 0) {
            log.debug("worker {}: its check is over without an answer", record.id());
            pass();
            return true;
        }
        if (probe != null && !isProbing() && time.compareTo(nextProbe) >= 0) {
            nextProbe = time.plus(UNTIL_AN_EXIT_SHOWS);
            start(probe, record, atMost);
        }
        CompletableFuture<HealthStatus> last = answer;
        return last != null && isHealthy(last);
    }

    private boolean isProbing() {
        CompletableFuture<HealthStatus> last = answer;
        return last != null && !last.isDone();
    }

    private void start(HealthProbe probe, WorkerInfo record, Duration timeout) {
        try {
            CompletionStage<HealthStatus> stage = probe.probe(record, timeout);
            CompletableFuture<HealthStatus> asked = stage.toCompletableFuture();
            answer = asked;
            if (cancelled) {
                asked.cancel(true);
            }
            asked.whenComplete((status, failure) -> {
                log.debug(
                        "worker {}: its check says {}",
                        record.id(),
                        failure == null ? status : LogText.describe(failure));
                if (status instanceof Healthy) {
                    pass();
                }
            });
        } catch (Throwable t) { // foreign code; the next probe may do better
            log.debug("worker {}: the probe failed", record.id(), LogText.of(t));
        }
    }

    private static boolean isHealthy(CompletableFuture<HealthStatus> answer) {
        return answer.isDone() && !answer.isCompletedExceptionally() && answer.join() instanceof Healthy;
    }

    /** Another check has taken the place of this one, or it is over. */
    void cancelProbe() {
        cancelled = true;
        CompletableFuture<HealthStatus> last = answer;
        if (last != null) {
            last.cancel(true);
        }
    }

    /** Lets slots be leased again, unless another lease has failed since. */
    void pass() {
        boolean unused = lease.resume();
    }
}
