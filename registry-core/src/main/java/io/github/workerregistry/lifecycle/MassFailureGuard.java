package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Incarnation;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Defers the stop of workers whose checks fail together with those of many others: then the check or the machine is
 * more likely at fault, and stopping all workers would make it worse. (After Eureka's self-preservation.) A detected
 * exit is never deferred. Thread-safe.
 */
final class MassFailureGuard implements Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    /** The minimum number of failing workers in a mass failure. */
    private static final int MANY = 3;

    /** A worker may be suspected for one reason and cleared for another. */
    private record Check(String id, StopReason reason) {}

    /** The suspected incarnation, and since when. A later one with the same id is not suspected. */
    private record Suspicion(Incarnation incarnation, Instant since) {
        boolean isOf(WorkerInfo worker) {
            return incarnation.equals(worker.incarnation());
        }
    }

    private final WorkerRegistry registry;
    private final Stopper stopper;
    private final Duration limit;
    private final PauseTracker pauses;
    private final ConcurrentMap<Check, Suspicion> suspicions = new ConcurrentHashMap<>();

    MassFailureGuard(WorkerRegistry registry, Stopper stopper, Duration limit, PauseTracker pauses) {
        this.registry = registry;
        this.stopper = stopper;
        this.limit = limit;
        this.pauses = pauses;
    }

    /** Whether so many of the checked workers fail that the check itself is suspected. */
    static boolean isMassFailure(long failing, long checked) {
        return failing >= MANY && failing * 2 >= checked;
    }

    /**
     * Suspects a failed worker instead of stopping it, if many fail together; it is stopped after the suspicion
     * timeout.
     *
     * @param failing the number of workers that fail the same check at this time
     * @param checked the number of workers with this check
     */
    boolean suspectIfMany(WorkerInfo worker, StopReason reason, long failing, long checked, Instant now) {
        if (!isMassFailure(failing, checked)) {
            return false;
        }
        suspicions.compute(
                new Check(worker.id(), reason),
                (check, known) ->
                        known != null && known.isOf(worker) ? known : new Suspicion(worker.incarnation(), now));
        if (registry.supervision().suspect(worker.incarnation(), reason)) {
            log.warn(
                    "worker {} is {} and suspected ({}): {} of {} workers fail together; it is not stopped for {}",
                    WorkerName.of(worker),
                    worker.state().label(),
                    reason,
                    failing,
                    checked,
                    limit);
        }
        return true; // the tick stops it after the timeout
    }

    /** Stops workers whose suspicion timeout is over, and drops removed ones. */
    @Override
    public void tick(Instant now) {
        suspicions.forEach((check, suspicion) -> {
            WorkerInfo worker = registry.get(check.id).filter(suspicion::isOf).orElse(null);
            if (worker == null) {
                suspicions.remove(check, suspicion);
            } else if (pauses.activeTime(suspicion.since, now).compareTo(limit) >= 0) {
                end(worker, check.reason);
            }
        });
    }

    private void end(WorkerInfo worker, StopReason reason) {
        boolean evaluated = worker.state() instanceof Idle || reason == StopReason.HEARTBEAT_MISSED;
        if (evaluated && worker.state().routable()) {
            stopper.stopFailed(worker, reason, "suspected for " + limit);
        }
    }

    /** Ends a suspicion: the worker has passed the check again. */
    void clear(WorkerInfo worker, StopReason reason) {
        String id = worker.id();
        if (suspicions.remove(new Check(id, reason)) != null
                && suspicions.keySet().stream().noneMatch(check -> check.id.equals(id))
                && registry.supervision().clearSuspicion(worker.incarnation())) {
            log.info("worker {} is no longer suspected", WorkerName.of(worker));
        }
    }
}
