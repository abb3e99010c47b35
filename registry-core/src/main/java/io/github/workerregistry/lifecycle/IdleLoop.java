package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import java.time.Duration;
import java.time.Instant;

/** Stops workers that had nothing to do for too long. */
final class IdleLoop implements Tick {

    private final WorkerRegistry registry;
    private final Stopper stopper;
    private final Duration idleTimeout;
    private final Absence absence = new Absence();

    IdleLoop(WorkerRegistry registry, Stopper stopper, Duration idleTimeout) {
        this.registry = registry;
        this.stopper = stopper;
        this.idleTimeout = idleTimeout;
    }

    @Override
    public void tick(Instant now) {
        for (WorkerInfo worker : registry.idleWorkers()) {
            if (absence.presentSince(worker.lastActivity(), now).compareTo(idleTimeout) >= 0) {
                stopper.endIfUnchanged(worker, Exit.Cause.IDLE_TIMEOUT); // one compare-and-set decides against a lease
            }
        }
    }

    /** Nobody could send a request while we were away. */
    @Override
    public void late(Instant now, Duration lateness) {
        absence.ended(now, lateness);
    }
}
