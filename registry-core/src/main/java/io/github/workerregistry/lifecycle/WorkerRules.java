package io.github.workerregistry.lifecycle;

import io.github.workerregistry.health.HealthProbe;
import java.util.Optional;

/**
 * The rules of one worker: those of its {@link WorkerSpec}, and where that has none, those of its supervisor.
 *
 * @param healthProbe how it is probed; empty: it is not
 * @param lifecycle its intervals, timeouts and limits, except the tick interval and the suspicion timeout
 * @param restartPolicy whether and when it is restarted
 * @param stopRequest how it is asked to exit; empty: a stop begins with SIGTERM
 */
record WorkerRules(
        Optional<HealthProbe> healthProbe,
        LifecycleConfig lifecycle,
        RestartPolicy restartPolicy,
        Optional<StopRequest> stopRequest) {

    /** The rules of a worker under a supervisor with these rules; the same object if its spec has none of its own. */
    WorkerRules of(WorkerSpec spec) {
        boolean hasOwn = spec.healthProbe().isPresent()
                || spec.lifecycle().isPresent()
                || spec.restartPolicy().isPresent()
                || spec.stopRequest().isPresent();
        return !hasOwn
                ? this
                : new WorkerRules(
                        spec.healthProbe().or(() -> healthProbe),
                        spec.lifecycle().orElse(lifecycle),
                        spec.restartPolicy().orElse(restartPolicy),
                        spec.stopRequest().or(() -> stopRequest));
    }

    /** Whether the worker is probed. */
    boolean isProbed() {
        return healthProbe.isPresent();
    }
}
