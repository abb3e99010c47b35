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
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The check of one worker after a lease of it has failed. */
final class LeaseCheck {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    /** Most exits are detected within a few milliseconds. Also the time between two probes that do not pass. */
    private static final Duration EXIT_DETECTION_TIME = Duration.ofMillis(100);

    private final FailedLease lease;
    private final Instant since;
    private final Consumer<FailedLease> onAlive;
    private final AtomicBoolean busy = new AtomicBoolean();
    private Duration nextProbe = Duration.ZERO; // accessed only in a step
    private volatile boolean cancelled;
    private volatile @Nullable CompletableFuture<HealthStatus> answer;

    /**
     * Starts a check.
     *
     * @param onAlive called when the check has passed, without a lock
     */
    LeaseCheck(FailedLease lease, Instant since, Consumer<FailedLease> onAlive) {
        this.lease = lease;
        this.onAlive = onAlive;
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

    /** Reserves the next step for this thread; false if another thread runs one. */
    boolean begin() {
        return busy.compareAndSet(false, true);
    }

    void end() {
        busy.set(false);
    }

    /**
     * Passes the check, or starts a probe, or waits.
     *
     * @param record the current record of the worker
     * @param probe the probe; null if the worker cannot be probed
     * @param time the time since the lease failed
     * @param atMost the time after which the check passes although no probe has
     * @return whether the check is over
     */
    boolean step(WorkerInfo record, @Nullable HealthProbe probe, Duration time, Duration atMost) {
        if (time.compareTo(probe == null ? EXIT_DETECTION_TIME : atMost) >= 0) {
            log.debug("worker {}: check of a failed lease: over without an answer", WorkerName.of(record));
            pass();
            return true;
        }
        if (probe != null && !isProbing() && time.compareTo(nextProbe) >= 0) {
            nextProbe = time.plus(EXIT_DETECTION_TIME);
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
            CompletableFuture<HealthStatus> started = stage.toCompletableFuture();
            answer = started;
            if (cancelled) {
                started.cancel(true);
            }
            started.whenComplete((status, failure) -> {
                log.debug(
                        "worker {}: check of a failed lease: {}",
                        WorkerName.of(record),
                        failure == null ? status : LogText.describe(failure));
                if (status instanceof Healthy) {
                    pass();
                }
            });
        } catch (Throwable t) { // foreign code; the next probe may succeed
            log.debug("worker {}: check of a failed lease: the probe failed", WorkerName.of(record), LogText.of(t));
        }
    }

    private static boolean isHealthy(CompletableFuture<HealthStatus> answer) {
        return answer.isDone() && !answer.isCompletedExceptionally() && answer.join() instanceof Healthy;
    }

    /** Cancels the current probe: the check is over, or was replaced by a later one. */
    void cancelProbe() {
        cancelled = true;
        CompletableFuture<HealthStatus> last = answer;
        if (last != null) {
            last.cancel(true);
        }
    }

    /** Makes the worker's slots available again, unless another lease has failed since. */
    void pass() {
        if (lease.resume()) {
            onAlive.accept(lease);
        }
    }
}
