package io.github.workerregistry.lifecycle;

import io.github.workerregistry.process.WorkerProcess;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads how much output each worker has written, ready or not, at every tick: this call is where an implementation
 * bounds what it keeps, so the time between two ticks decides by how much a fast writer exceeds that bound. Growth is
 * also progress of a load, see {@link LoadLoop}, and what is new is read for its followers.
 */
final class OutputLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final SupervisedWorkers workers;

    OutputLoop(SupervisedWorkers workers) {
        this.workers = workers;
    }

    @Override
    public void tick(Instant now) {
        for (SupervisedWorker worker : workers.all()) {
            read(worker, now);
        }
        workers.ending().removeIf(OutputFollower::isClosed);
        workers.ending().forEach(OutputFollower::wake); // an executor may have refused a task
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    private static void read(SupervisedWorker worker, Instant now) {
        WorkerProcess process = worker.process();
        if (process == null || worker.hasExited()) {
            return;
        }
        try {
            long bytes = process.outputBytes();
            worker.load.outputRead(bytes, now);
            worker.series.output().grown(worker.generation, process, bytes);
        } catch (Throwable t) { // foreign code; the other workers' output is read all the same
            worker.warnOnce(log, "worker {}: its output cannot be read", t);
        }
    }
}
