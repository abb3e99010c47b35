package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Busy;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends busy workers in which nothing moves: no slot was taken or given back for too long. */
final class BusyLoop implements Tick {

    /** How often busy workers are looked at. */
    static final Duration PERIOD = Duration.ofSeconds(1);

    private static final Logger log = LoggerFactory.getLogger(BusyLoop.class);

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final Stopper stopper;
    private final Duration busyLimit;
    private final Presence presence;

    BusyLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            Stopper stopper,
            Duration busyLimit,
            Presence presence) {
        this.registry = registry;
        this.records = records;
        this.stopper = stopper;
        this.busyLimit = busyLimit;
        this.presence = presence;
    }

    @Override
    public void tick(Instant now) {
        for (WorkerInfo worker : records.list()) {
            if (worker.state() instanceof Busy
                    && presence.since(worker.lastActivity(), now).compareTo(busyLimit) >= 0
                    && isStillStuck(worker)
                    && stopper.endIfUnchanged(worker, Exit.Cause.BUSY_LIMIT)) {
                log.warn(
                        "worker {} is given up: {} slots are busy and nothing moved for {}",
                        worker.id(),
                        worker.slotsInUse(),
                        busyLimit);
            }
        }
    }

    /** To end the one before may have taken a while. */
    private boolean isStillStuck(WorkerInfo worker) {
        return registry.get(worker.id())
                .filter(present -> present.lastActivity().equals(worker.lastActivity()))
                .isPresent();
    }

    @Override
    public void late(Instant now) {}
}
