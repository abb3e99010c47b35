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
    private final Stopper stopper;
    private final Duration busyTimeout;
    private final PauseTracker pauses;

    BusyLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            Stopper stopper,
            Duration busyTimeout,
            PauseTracker pauses) {
        this.registry = registry;
        this.records = records;
        this.stopper = stopper;
        this.busyTimeout = busyTimeout;
        this.pauses = pauses;
    }

    @Override
    public void tick(Instant now) {
        for (WorkerInfo worker : records.list()) {
            if (worker.state() instanceof Busy
                    && pauses.activeTime(worker.lastActivity(), now).compareTo(busyTimeout) >= 0
                    && isStillStuck(worker)) {
                stopper.stopFailed(
                        worker,
                        StopReason.BUSY_TIMEOUT,
                        worker.slotsInUse() + " slots are in use, and none was acquired or released for "
                                + busyTimeout);
            }
        }
    }

    /** Stopping the previous worker may have taken time. */
    private boolean isStillStuck(WorkerInfo worker) {
        return registry.get(worker.id())
                .filter(present -> present.lastActivity().equals(worker.lastActivity()))
                .isPresent();
    }
}
