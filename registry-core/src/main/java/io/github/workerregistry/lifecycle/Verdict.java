package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
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
 * What follows from a probe's answer.
 *
 * <p>A first healthy answer makes a loading worker ready. On a ready worker, a healthy answer sets the count of
 * failures to 0 and touches nothing else. A failed one counts only if the worker was idle when it was asked and is idle
 * still: one that is at work is alive, however slowly it answers.
 *
 * <p>A worker that has failed often enough is ended, or spared as a suspect if many fail together. As long as that can
 * still turn out, because others have not been asked since it began to fail, it is kept: for little more than an
 * interval, and not at all where few workers are checked, or most are well.
 */
final class Verdict implements Tick {

    private static final Logger log = LoggerFactory.getLogger(Verdict.class);

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final Readiness readiness;
    private final Stopper stopper;
    private final Suspects suspects;
    private final Presence presence;
    private final int failureThreshold;
    private final Duration round;
    private final HealthAnswers answers = new HealthAnswers();
    private final ConcurrentMap<String, Failing> undecided = new ConcurrentHashMap<>();

    /** A worker that has failed often enough, the last time for that reason. */
    private record Failing(WorkerInfo worker, int failures, Instant since, String reason) {}

    Verdict(
            WorkerRegistry registry,
            SupervisedRecords records,
            Readiness readiness,
            Stopper stopper,
            Suspects suspects,
            Presence presence,
            LifecycleConfig config) {
        this.registry = registry;
        this.records = records;
        this.readiness = readiness;
        this.stopper = stopper;
        this.suspects = suspects;
        this.presence = presence;
        this.failureThreshold = config.failureThreshold();
        this.round = HealthPace.longestInterval(config).plus(config.healthTimeout());
    }

    /** Acts on an answer; {@code seen} is the worker as it was when it was asked. */
    void on(WorkerInfo seen, HealthStatus status) {
        if (status instanceof Healthy) {
            healthy(seen);
        } else if (status instanceof Unhealthy unhealthy) {
            unhealthy(seen, unhealthy.reason());
        } else if (status instanceof Unknown unknown) {
            registry.noteUnknownHealthCheck(seen.id());
            log.warn("worker {} was {}; no verdict: {}", seen.id(), seen.state().label(), unknown.reason());
        }
    }

    private void healthy(WorkerInfo seen) {
        if (seen.state() instanceof Loading) {
            readiness.answered(seen);
            return;
        }
        answers.passed(seen, registry.clock().instant());
        registry.resetFailedHealthChecks(seen.id());
        suspects.clear(seen.id(), Exit.Cause.UNHEALTHY);
    }

    private void unhealthy(WorkerInfo seen, String reason) {
        log.debug(
                "worker {} was {}; health check failed: {}",
                seen.id(),
                seen.state().label(),
                reason);
        WorkerInfo now = registry.get(seen.id())
                .filter(present -> isSame(present, seen) && present.state() instanceof Idle)
                .orElse(null);
        if (now == null || !(seen.state() instanceof Idle)) {
            answers.passed(seen, registry.clock().instant()); // at work, or not to be judged any more
            return;
        }
        int failures = registry.incrementFailedHealthChecksIfUnchanged(now).orElse(0);
        if (failures > 0) {
            Instant since = answers.failed(now, registry.clock().instant());
            if (failures >= failureThreshold) {
                decide(new Failing(now, failures, since, reason));
            }
        }
    }

    /** And not its next generation, nor another worker under its id. */
    private static boolean isSame(WorkerInfo now, WorkerInfo seen) {
        return now.generation() == seen.generation() && now.startedAt().equals(seen.startedAt());
    }

    /** Probes are spread over their interval: a worker that failed its last one fails together with this one. */
    private void decide(Failing one) {
        Instant now = registry.clock().instant();
        List<WorkerInfo> checked = records.list().stream()
                .filter(worker -> worker.state().routable())
                .toList();
        long failing = checked.stream()
                .filter(worker -> worker.failedHealthChecks() > 0)
                .count();
        if (suspects.spare(one.worker, Exit.Cause.UNHEALTHY, failing, checked.size(), now)) {
            undecided.remove(one.worker.id());
        } else if (Suspects.areMany(failing + answers.unheardSince(one.since, checked), checked.size())
                && presence.since(one.since, now).compareTo(round) < 0) {
            undecided.put(one.worker.id(), one);
        } else {
            undecided.remove(one.worker.id());
            end(one);
        }
    }

    private void end(Failing one) {
        if (stopper.endIfUnchanged(one.worker, Exit.Cause.UNHEALTHY)) {
            log.warn(
                    "worker {} is given up after {} failed health checks: {}",
                    one.worker.id(),
                    one.failures,
                    one.reason);
        }
    }

    /** Decides on those that could not be decided on before. */
    @Override
    public void tick(Instant now) {
        undecided.values().forEach(this::decideAgain);
    }

    /** Forgets workers that have gone. */
    void keepOnly(Set<String> ids) {
        answers.keepOnly(ids);
    }

    private void decideAgain(Failing one) {
        WorkerInfo now = registry.get(one.worker.id())
                .filter(present -> isSame(present, one.worker)
                        && present.state() instanceof Idle
                        && present.lastActivity().equals(one.worker.lastActivity())
                        && present.failedHealthChecks() >= failureThreshold)
                .orElse(null);
        if (now == null) {
            undecided.remove(one.worker.id(), one); // it is well, at work, or gone
        } else {
            decide(new Failing(now, now.failedHealthChecks(), one.since, one.reason));
        }
    }

    @Override
    public void late(Instant now) {}
}
