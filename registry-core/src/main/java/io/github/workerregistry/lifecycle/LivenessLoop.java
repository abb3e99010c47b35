package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The backstop: finds exits whose notice is late (the JDK gives it in the common pool, which the host may have filled),
 * processes whose record the host has removed, starts that the host's executor has dropped, and workers that the host
 * itself set Idle or Busy, whose waiters are told here.
 */
final class LivenessLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(LivenessLoop.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Spawner spawner;
    private final Stopper stopper;
    private final Exits exits;

    LivenessLoop(WorkerRegistry registry, SupervisedWorkers workers, Spawner spawner, Stopper stopper, Exits exits) {
        this.registry = registry;
        this.workers = workers;
        this.spawner = spawner;
        this.stopper = stopper;
        this.exits = exits;
    }

    @Override
    public void tick(Instant now) {
        for (SupervisedWorker worker : workers.all()) {
            WorkerProcess process = worker.process();
            if (worker.hasExited()) {
                continue;
            }
            if (process != null) {
                look(worker, process, now);
            } else if (!worker.isBeingRegistered() && !worker.start.isGivenUp()) {
                lookAtStart(worker);
            }
        }
    }

    private void lookAtStart(SupervisedWorker worker) {
        try {
            // Not owns(): the process may be attached right after the record was read, and that has no pid yet.
            if (registry.get(worker.id).filter(worker::isGenerationOf).isEmpty()) {
                stopper.endDeregistered(worker);
            } else if (worker.start.isWaiting() && spawner.hasExecutorEnded()) {
                worker.decide(() -> exits.startDropped(worker));
            }
        } catch (Throwable t) { // foreign code must not keep the other workers from being looked at
            worker.complain(log, "worker {}: cannot tell whether its start will come", t);
        }
    }

    private void look(SupervisedWorker worker, WorkerProcess process, Instant now) {
        try {
            Optional<ExitStatus> status = process.exitStatus();
            if (status.isPresent()) {
                exits.noticed(worker, status.get());
                return;
            }
            WorkerInfo record = registry.get(worker.id).filter(worker::owns).orElse(null);
            if (record == null) {
                stopper.endDeregistered(worker);
            } else if (record.state().routable()) {
                worker.becameReady(record, now);
            }
        } catch (Throwable t) { // foreign code must not keep the other workers from being looked at
            worker.complain(log, "worker {}: cannot tell whether its process lives", t);
        }
    }
}
