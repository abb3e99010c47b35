package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;

/** Stops workers that had nothing to do for too long. */
final class IdleLoop implements Tick {

    private final SupervisedRecords records;
    private final Stopper stopper;
    private final Duration idleTimeout;
    private final Presence presence;

    IdleLoop(SupervisedRecords records, Stopper stopper, Duration idleTimeout, Presence presence) {
        this.records = records;
        this.stopper = stopper;
        this.idleTimeout = idleTimeout;
        this.presence = presence;
    }

    @Override
    public void tick(Instant now) {
        for (WorkerInfo worker : records.idle()) {
            if (presence.since(worker.lastActivity(), now).compareTo(idleTimeout) >= 0) {
                stopper.endIfUnchanged(worker, Exit.Cause.IDLE_TIMEOUT); // one compare-and-set decides against a lease
            }
        }
    }

    @Override
    public void late(Instant now) {}
}
