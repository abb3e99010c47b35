package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import java.time.Instant;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the next generation of workers whose wait is over. The start itself may block, and runs on the executor for
 * that.
 */
final class RestartLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(RestartLoop.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Spawner spawner;
    private final Exits exits;
    private final Executor blocking;

    RestartLoop(WorkerRegistry registry, SupervisedWorkers workers, Spawner spawner, Exits exits, Executor blocking) {
        this.registry = registry;
        this.workers = workers;
        this.spawner = spawner;
        this.exits = exits;
        this.blocking = blocking;
    }

    @Override
    public void tick(Instant now) {
        for (SupervisedWorker worker : workers.all()) {
            if (worker.hasExited()) {
                look(worker, now);
            }
        }
    }

    private void look(SupervisedWorker worker, Instant now) {
        WorkerInfo seen = registry.get(worker.id).orElse(null);
        if (seen == null) {
            exits.forget(worker); // the host removed the record while it backed off
        } else if (seen.state() instanceof BackingOff backingOff && !now.isBefore(backingOff.retryAt())) {
            restart(worker, seen);
        }
    }

    /** Starts the next generation, once. */
    void restart(SupervisedWorker worker, WorkerInfo seen) {
        if (!worker.claimSuccessor()) {
            return;
        }
        try {
            blocking.execute(() -> spawner.respawn(worker, seen));
        } catch (RejectedExecutionException closed) {
            log.warn("worker {} cannot be restarted: the executor takes no more tasks", worker.id);
        }
    }
}
