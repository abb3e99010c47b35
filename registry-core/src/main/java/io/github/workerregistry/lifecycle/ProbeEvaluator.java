package io.github.workerregistry.lifecycle;

import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.health.HealthStatus.Healthy;
import io.github.workerregistry.health.HealthStatus.Unhealthy;
import io.github.workerregistry.health.HealthStatus.Unknown;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Evaluates the answers to probes.
 *
 * <p>A healthy answer makes a loading worker ready. For a ready worker it only resets the failure count. A failure
 * counts only if the worker was idle when the probe started and still is: a busy worker may answer slowly.
 *
 * <p>A worker that reaches the failure threshold is stopped, or suspected if many fail together. The decision waits
 * while other workers that have not answered since its first failure could still make it a mass failure: for little
 * more than its own health interval, and not at all if few workers are checked or most are healthy.
 */
final class ProbeEvaluator implements Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final Readiness readiness;
    private final Stopper stopper;
    private final MassFailureGuard massFailureGuard;
    private final PauseTracker pauses;
    private final SupervisedWorkers workers;
    private final LastHealthAnswers answers = new LastHealthAnswers();
    private final ConcurrentMap<String, Failing> undecided = new ConcurrentHashMap<>();

    /** A worker that has reached the failure threshold; {@code reason} is that of the last failure. */
    private record Failing(WorkerInfo worker, int failures, Instant since, String reason) {}

    ProbeEvaluator(
            WorkerRegistry registry,
            SupervisedRecords records,
            SupervisedWorkers workers,
            Readiness readiness,
            Stopper stopper,
            MassFailureGuard massFailureGuard,
            PauseTracker pauses) {
        this.registry = registry;
        this.records = records;
        this.workers = workers;
        this.readiness = readiness;
        this.stopper = stopper;
        this.massFailureGuard = massFailureGuard;
        this.pauses = pauses;
    }

    /** Evaluates an answer; {@code seen} is the snapshot from the start of the probe. */
    void on(WorkerInfo seen, HealthStatus status) {
        if (status instanceof Healthy) {
            healthy(seen);
        } else if (status instanceof Unhealthy unhealthy) {
            unhealthy(seen, unhealthy.reason());
        } else if (status instanceof Unknown unknown) {
            registry.supervision().checkUnknown(seen.incarnation());
            log.warn(
                    "worker {} was {}; health check without a result: {}",
                    WorkerName.of(seen),
                    seen.state().label(),
                    unknown.reason());
        }
    }

    private void healthy(WorkerInfo seen) {
        if (seen.state() instanceof Loading) {
            readiness.answered(seen);
            return;
        }
        answers.passed(seen, registry.clock().instant());
        registry.supervision().checkPassed(seen.incarnation());
        massFailureGuard.clear(seen, StopReason.UNHEALTHY);
    }

    private void unhealthy(WorkerInfo seen, String reason) {
        log.debug(
                "worker {} was {}; health check failed: {}",
                WorkerName.of(seen),
                seen.state().label(),
                reason);
        WorkerInfo now = registry.get(seen.id())
                .filter(present -> present.incarnation().equals(seen.incarnation()) && present.state() instanceof Idle)
                .orElse(null);
        if (now == null || !(seen.state() instanceof Idle)) {
            answers.passed(seen, registry.clock().instant()); // busy, or no longer evaluated
            return;
        }
        int failures = registry.supervision().checkFailed(now).orElse(0);
        if (failures > 0) {
            Instant since = answers.failed(now, registry.clock().instant());
            if (failures >= failureThreshold(now)) {
                decide(new Failing(now, failures, since, reason));
            }
        }
    }

    /** Probes are spread over their interval, so every worker whose last check failed counts as failing now. */
    private void decide(Failing one) {
        Instant now = registry.clock().instant();
        List<WorkerInfo> checked = records.list().stream()
                .filter(worker ->
                        worker.state().routable() && workers.rulesOf(worker).isProbed())
                .toList();
        long failing = checked.stream()
                .filter(worker -> worker.failedHealthChecks() > 0)
                .count();
        if (massFailureGuard.suspectIfMany(one.worker, StopReason.UNHEALTHY, failing, checked.size(), now)) {
            undecided.remove(one.worker.id());
        } else if (MassFailureGuard.isMassFailure(failing + answers.unansweredSince(one.since, checked), checked.size())
                && pauses.activeTime(one.since, now).compareTo(answerPeriod(one.worker)) < 0) {
            undecided.put(one.worker.id(), one);
        } else {
            undecided.remove(one.worker.id());
            end(one);
        }
    }

    private int failureThreshold(WorkerInfo worker) {
        return workers.rulesOf(worker).lifecycle().failureThreshold();
    }

    /** The longest time in which a worker with the same rules answers. */
    private Duration answerPeriod(WorkerInfo worker) {
        LifecycleConfig config = workers.rulesOf(worker).lifecycle();
        return HealthPace.longestInterval(config).plus(config.healthTimeout());
    }

    private void end(Failing one) {
        stopper.stopFailed(
                one.worker, StopReason.UNHEALTHY, one.failures + " health checks failed in a row: " + one.reason);
    }

    /** Decides on workers whose decision had to wait. */
    @Override
    public void tick(Instant now) {
        undecided.values().forEach(this::decideAgain);
    }

    /** Removes the state of all other workers. */
    void retainOnly(Set<String> ids) {
        answers.retainOnly(ids);
    }

    private void decideAgain(Failing one) {
        WorkerInfo now = registry.get(one.worker.id())
                .filter(present -> present.incarnation().equals(one.worker.incarnation())
                        && present.state() instanceof Idle
                        && present.lastActivity().equals(one.worker.lastActivity())
                        && present.failedHealthChecks() >= failureThreshold(present))
                .orElse(null);
        if (now == null) {
            undecided.remove(one.worker.id(), one); // it is healthy, busy, or removed
        } else {
            decide(new Failing(now, now.failedHealthChecks(), one.since, one.reason));
        }
    }
}
