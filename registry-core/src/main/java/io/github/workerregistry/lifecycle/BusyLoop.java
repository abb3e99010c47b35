package io.github.workerregistry.lifecycle;

import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Busy;
import java.time.Duration;
import java.time.Instant;

/** Stops busy workers that hang: no slot was acquired or released for too long. */
final class BusyLoop implements Tick {

    /** The time between two checks of busy workers. */
    static final Duration PERIOD = Duration.ofSeconds(1);

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final PauseTracker pauses;

    BusyLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            SupervisedWorkers workers,
            Stopper stopper,
            PauseTracker pauses) {
        this.registry = registry;
        this.records = records;
        this.workers = workers;
        this.stopper = stopper;
        this.pauses = pauses;
    }

    @Override
    public void tick(Instant now) {
        for (WorkerInfo worker : records.list()) {
            if (worker.state() instanceof Busy) {
                evaluate(worker, now);
            }
        }
    }

    private void evaluate(WorkerInfo worker, Instant now) {
        Duration timeout = workers.rulesOf(worker).lifecycle().busyTimeout().orElse(null);
        if (timeout != null
                && pauses.activeTime(worker.lastActivity(), now).compareTo(timeout) >= 0
                && isStillStuck(worker)) {
            stopper.stopFailed(
                    worker,
                    StopReason.BUSY_TIMEOUT,
                    worker.slotsInUse() + " slots are in use, and none was acquired or released for " + timeout);
        }
    }

    /** Stopping the previous worker may have taken time. */
    private boolean isStillStuck(WorkerInfo worker) {
        return registry.get(worker.id())
                .filter(present -> present.lastActivity().equals(worker.lastActivity()))
                .isPresent();
    }
}
