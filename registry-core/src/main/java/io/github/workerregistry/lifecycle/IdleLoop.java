package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Durations.shorter;

import io.github.workerregistry.StopReason;
import io.github.workerregistry.Supervision;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import java.time.Duration;
import java.time.Instant;

/** Stops workers that had nothing to do for too long. */
final class IdleLoop implements Tick {

    private final Supervision supervision;
    private final SupervisedRecords records;
    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final PauseTracker pauses;
    private final SlicedPass<WorkerInfo> pass;

    IdleLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            SupervisedWorkers workers,
            Stopper stopper,
            PauseTracker pauses) {
        this.supervision = registry.supervision();
        this.pass = new SlicedPass<>(registry.clock());
        this.records = records;
        this.workers = workers;
        this.stopper = stopper;
        this.pauses = pauses;
    }

    /** The time between two searches: the shortest that the rules of a worker ask for. Called at every tick. */
    Duration period() {
        Duration shortest = checkInterval(workers.defaults());
        for (SupervisedWorker worker : workers.all()) {
            shortest = shorter(shortest, checkInterval(worker.rules()));
        }
        return shortest;
    }

    private static Duration checkInterval(WorkerRules rules) {
        LifecycleConfig config = rules.lifecycle();
        return config.idleTimeout().isPresent() ? config.idleCheckInterval() : StopSequence.NEVER;
    }

    @Override
    public void tick(Instant now) {
        supervision.forgetHints(); // or each thread keeps a worker of its own busy
        pass.run(records.idle(), worker -> {
            Duration timeout = workers.rulesOf(worker).lifecycle().idleTimeout().orElse(null);
            if (timeout != null && pauses.activeTime(worker.lastActivity(), now).compareTo(timeout) >= 0) {
                stopper.endIfUnchanged(worker, StopReason.IDLE_TIMEOUT); // one compare-and-set decides against a lease
            }
        });
    }

    @Override
    public boolean isUnfinished() {
        return pass.isUnfinished();
    }
}
