package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Instant;

/**
 * Follows what the hive does with the records of supervised workers: ends the process of one that was removed, and
 * completes the waits for one that was set Idle or Busy.
 */
final class RecordLoop implements Tick {

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final SlicedPass<SupervisedWorker> pass;

    RecordLoop(WorkerRegistry registry, SupervisedWorkers workers, Stopper stopper) {
        this.registry = registry;
        this.pass = new SlicedPass<>(registry.clock());
        this.workers = workers;
        this.stopper = stopper;
    }

    @Override
    public void tick(Instant now) {
        pass.run(workers.all(), worker -> {
            if (!worker.hasExited() && !worker.isBeingRegistered() && !worker.start.isAbandoned()) {
                follow(worker, now);
            }
        });
    }

    @Override
    public boolean isUnfinished() {
        return pass.isUnfinished();
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    private void follow(SupervisedWorker worker, Instant now) {
        WorkerProcess process = worker.process(); // first: a record that is read later has its pid
        WorkerInfo record = registry.get(worker.id)
                .filter(process == null ? worker::isGenerationOf : worker::owns)
                .orElse(null);
        if (record == null && !worker.stop.isKilling()) {
            stopper.endDeregistered(worker);
        } else if (record != null && process != null && record.state().routable()) {
            worker.becameReady(record, now);
        }
    }
}
