package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
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
 * Keeps workers alive for a while whose checks fail together with those of many others: then the check or the machine
 * is more likely at fault, and to kill them all would make it worse. (After Eureka's self-preservation.) An exit that
 * was seen always counts. Thread-safe.
 */
final class Suspects implements Tick {

    private static final Logger log = LoggerFactory.getLogger(Suspects.class);

    /** Fewer than this are never many. */
    private static final int MANY = 3;

    /** A worker may be under suspicion for one cause and cleared of another. */
    private record Charge(String id, Exit.Cause cause) {}

    /** Since when which process is under suspicion: not one that came after it, be it under the same id. */
    private record Suspicion(int generation, Instant startedAt, Instant since) {
        boolean isOf(WorkerInfo worker) {
            return generation == worker.generation() && startedAt.equals(worker.startedAt());
        }
    }

    private final WorkerRegistry registry;
    private final Stopper stopper;
    private final Duration limit;
    private final Presence presence;
    private final ConcurrentMap<Charge, Suspicion> suspicions = new ConcurrentHashMap<>();

    Suspects(WorkerRegistry registry, Stopper stopper, Duration limit, Presence presence) {
        this.registry = registry;
        this.stopper = stopper;
        this.limit = limit;
        this.presence = presence;
    }

    /** Whether so many of those that are checked fail that the check is in doubt. */
    static boolean areMany(long failing, long checked) {
        return failing >= MANY && failing * 2 >= checked;
    }

    /**
     * Whether a worker that should be ended is to be kept for now; if so, it is ended when its time is over.
     *
     * @param failing how many workers fail the same check at this time
     * @param checked how many take part in it
     */
    boolean spare(WorkerInfo worker, Exit.Cause cause, long failing, long checked, Instant now) {
        if (!areMany(failing, checked)) {
            return false;
        }
        suspicions.compute(
                new Charge(worker.id(), cause),
                (charge, known) -> known != null && known.isOf(worker)
                        ? known
                        : new Suspicion(worker.generation(), worker.startedAt(), now));
        if (registry.suspect(worker.id(), cause)) {
            log.warn(
                    "worker {} is {} and under suspicion ({}), as {} of {} are; it is kept for {}",
                    worker.id(),
                    worker.state().label(),
                    cause,
                    failing,
                    checked,
                    limit);
        }
        return true; // until the tick finds that its time is over
    }

    /** Ends those whose time is over, and forgets those that have gone. */
    @Override
    public void tick(Instant now) {
        suspicions.forEach((charge, suspicion) -> {
            WorkerInfo worker = registry.get(charge.id).filter(suspicion::isOf).orElse(null);
            if (worker == null) {
                suspicions.remove(charge, suspicion);
            } else if (presence.since(suspicion.since, now).compareTo(limit) >= 0) {
                end(worker, charge.cause);
            }
        });
    }

    private void end(WorkerInfo worker, Exit.Cause cause) {
        boolean judged = worker.state() instanceof Idle || cause == Exit.Cause.HEARTBEAT_MISSED;
        if (judged && worker.state().routable() && stopper.endIfUnchanged(worker, cause)) {
            log.warn("worker {} is given up: {}, and under suspicion for {}", worker.id(), cause, limit);
        }
    }

    @Override
    public void late(Instant now) {}

    /** A worker has passed a check again. */
    void clear(String id, Exit.Cause cause) {
        if (suspicions.remove(new Charge(id, cause)) != null
                && suspicions.keySet().stream().noneMatch(charge -> charge.id.equals(id))
                && registry.clearSuspicion(id)) {
            log.info("worker {} is no longer under suspicion", id);
        }
    }
}
