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
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What follows from a probe's answer.
 *
 * <p>A first healthy answer makes a loading worker ready. On a ready worker, a healthy answer sets the count of
 * failures to 0 and touches nothing else. A failed one counts only if the worker was idle when it was asked and is idle
 * still: one that is at work is alive, however slowly it answers.
 */
final class Verdict {

    private static final Logger log = LoggerFactory.getLogger(Verdict.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final Suspects suspects;
    private final int failureThreshold;

    Verdict(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            Stopper stopper,
            Suspects suspects,
            int failureThreshold) {
        this.registry = registry;
        this.workers = workers;
        this.stopper = stopper;
        this.suspects = suspects;
        this.failureThreshold = failureThreshold;
    }

    /** Acts on an answer; {@code seen} is the worker as it was when it was asked. */
    void on(WorkerInfo seen, HealthStatus status) {
        if (status instanceof Healthy) {
            healthy(seen);
        } else if (status instanceof Unhealthy unhealthy) {
            unhealthy(seen, unhealthy.reason());
        } else if (status instanceof Unknown unknown) {
            log.warn("worker {} was {}; no verdict: {}", seen.id(), seen.state().label(), unknown.reason());
        }
    }

    private void healthy(WorkerInfo seen) {
        if (!(seen.state() instanceof Loading)) {
            registry.resetFailedHealthChecks(seen.id());
            suspects.clear(seen.id(), Exit.Cause.UNHEALTHY);
            return;
        }
        registry.updateStateIfUnchanged(seen, new Idle()).ifPresent(ready -> {
            log.info("worker {} is ready: it answered its first health check", seen.id());
            workers.becameReady(ready, registry.clock().instant());
        });
    }

    private void unhealthy(WorkerInfo seen, String reason) {
        log.debug(
                "worker {} was {}; health check failed: {}",
                seen.id(),
                seen.state().label(),
                reason);
        if (!(seen.state() instanceof Idle)) {
            return;
        }
        registry.get(seen.id())
                .filter(now -> isSame(now, seen) && now.state() instanceof Idle)
                .ifPresent(now -> {
                    int failures =
                            registry.incrementFailedHealthChecksIfUnchanged(now).orElse(0);
                    if (failures >= failureThreshold
                            && !spare(now)
                            && stopper.endIfUnchanged(now, Exit.Cause.UNHEALTHY)) {
                        log.warn(
                                "worker {} is given up after {} failed health checks: {}", seen.id(), failures, reason);
                    }
                });
    }

    /** And not its next generation, nor another worker under its id. */
    private static boolean isSame(WorkerInfo now, WorkerInfo seen) {
        return now.generation() == seen.generation() && now.startedAt().equals(seen.startedAt());
    }

    /** Probes are spread over their interval: a worker that failed its last one fails together with this one. */
    private boolean spare(WorkerInfo worker) {
        List<WorkerInfo> checked = registry.list().stream()
                .filter(other -> other.state().routable())
                .toList();
        long failing =
                checked.stream().filter(other -> other.failedHealthChecks() > 0).count();
        return suspects.spare(
                worker,
                Exit.Cause.UNHEALTHY,
                failing,
                checked.size(),
                registry.clock().instant());
    }
}
