package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Polls for exits whose notice is late: the JDK gives it in the common pool, which may be full. */
final class LivenessLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final SupervisedWorkers workers;
    private final ExitProcessor exits;
    private final SlicedPass<SupervisedWorker> pass = new SlicedPass<>();

    LivenessLoop(SupervisedWorkers workers, ExitProcessor exits) {
        this.workers = workers;
        this.exits = exits;
    }

    @Override
    public void tick(Instant now) {
        pass.run(workers.all(), worker -> {
            WorkerProcess process = worker.process();
            if (process != null && !worker.hasExited()) {
                poll(worker, process);
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

    private void poll(SupervisedWorker worker, WorkerProcess process) {
        try {
            Optional<ExitStatus> status = process.exitStatus();
            status.ifPresent(exit -> exits.onExit(worker, exit));
        } catch (Throwable t) { // foreign code must not keep the other workers from being polled
            worker.warnOnce(log, "worker {}: cannot tell whether its process lives", t);
        }
    }
}
