package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Polls for exits whose notice is late: the JDK gives it in the common pool, which may be full. */
final class LivenessLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final SupervisedWorkers workers;
    private final ExitProcessor exits;
    private final SlicedPass<Runnable> exited;

    LivenessLoop(InstantSource clock, SupervisedWorkers workers, ExitProcessor exits) {
        this.exited = new SlicedPass<>(clock);
        this.workers = workers;
        this.exits = exits;
    }

    @Override
    public void tick(Instant now) {
        exited.run(exited.isUnfinished() ? List.of() : pollAll(), Runnable::run);
    }

    @Override
    public boolean isUnfinished() {
        return exited.isUnfinished();
    }

    /** In one go: a poll may search for all workers that wait, and the next poll has the answer for each of them. */
    private List<Runnable> pollAll() {
        List<Runnable> found = new ArrayList<>();
        for (SupervisedWorker worker : workers.all()) {
            WorkerProcess process = worker.process();
            if (process != null && !worker.hasExited()) {
                poll(worker, process, found);
            }
        }
        return found;
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    private void poll(SupervisedWorker worker, WorkerProcess process, List<Runnable> found) {
        try {
            Optional<ExitStatus> status = process.exitStatus();
            status.ifPresent(exit -> found.add(() -> exits.onExit(worker, exit)));
        } catch (Throwable t) { // foreign code must not keep the other workers from being polled
            worker.warnOnce(log, "worker {}: cannot tell whether its process lives", t);
        }
    }
}
