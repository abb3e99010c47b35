package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends loads that have stalled, by the decision of {@link Stalls}. */
final class LoadLoop implements Tick {

    /** How often loads are judged. */
    static final Duration PERIOD = Duration.ofSeconds(1);

    private static final Logger log = LoggerFactory.getLogger(LoadLoop.class);

    private final SupervisedRecords records;
    private final Stopper stopper;
    private final Stalls stalls;
    private final LifecycleConfig config;

    LoadLoop(SupervisedRecords records, Stopper stopper, Stalls stalls, LifecycleConfig config) {
        this.records = records;
        this.stopper = stopper;
        this.stalls = stalls;
        this.config = config;
    }

    @Override
    public void late(Instant now) {
        // no verdict
    }

    @Override
    public void tick(Instant now) {
        for (WorkerInfo worker : records.list()) {
            if (stalls.isStalled(worker, now) && stopper.endIfUnchanged(worker, Exit.Cause.LOAD_STALL)) {
                log.warn("worker {} is given up: its load made no progress for {}", worker.id(), config.loadStall());
            }
        }
    }
}
