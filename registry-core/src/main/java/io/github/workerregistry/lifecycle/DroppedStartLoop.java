package io.github.workerregistry.lifecycle;

import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes workers whose start was accepted and then dropped by the hive's executor. */
final class DroppedStartLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final SupervisedWorkers workers;
    private final Spawner spawner;
    private final ExitProcessor exits;

    DroppedStartLoop(SupervisedWorkers workers, Spawner spawner, ExitProcessor exits) {
        this.workers = workers;
        this.spawner = spawner;
        this.exits = exits;
    }

    @Override
    public void tick(Instant now) {
        for (SupervisedWorker worker : workers.all()) {
            if (!worker.isBeingRegistered() && worker.start.isWaiting() && hasExecutorEnded(worker)) {
                worker.decide(() -> exits.startDropped(worker));
            }
        }
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    private boolean hasExecutorEnded(SupervisedWorker worker) {
        try {
            return spawner.hasExecutorEnded();
        } catch (Throwable t) { // foreign code
            worker.warnOnce(log, "worker {}: cannot tell whether its start will run", t);
            return false;
        }
    }
}
