package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends loads that have stalled, by the decision of {@link Stalls}, or that have taken too long. */
final class LoadLoop implements Tick {

    /** How often loads are judged. */
    static final Duration PERIOD = Duration.ofSeconds(1);

    private static final Logger log = LoggerFactory.getLogger(LoadLoop.class);

    private final SupervisedRecords records;
    private final Stopper stopper;
    private final Stalls stalls;
    private final LoadDiagnosis diagnosis;
    private final LifecycleConfig config;
    private final Presence presence;

    LoadLoop(
            SupervisedRecords records,
            Stopper stopper,
            Stalls stalls,
            LoadDiagnosis diagnosis,
            LifecycleConfig config,
            Presence presence) {
        this.records = records;
        this.stopper = stopper;
        this.stalls = stalls;
        this.diagnosis = diagnosis;
        this.config = config;
        this.presence = presence;
    }

    @Override
    public void late(Instant now) {
        // no verdict
    }

    @Override
    public void tick(Instant now) {
        for (WorkerInfo worker : records.list()) {
            if (stalls.isStalled(worker, now)) {
                end(worker, Exit.Cause.LOAD_STALL, "its load made no progress for " + config.loadStall());
            } else if (isOverdue(worker, now)) {
                end(
                        worker,
                        Exit.Cause.LOAD_TIMEOUT,
                        "it was not ready within " + config.loadTimeout().get());
            }
        }
    }

    private boolean isOverdue(WorkerInfo worker, Instant now) {
        return worker.state() instanceof Loading loading
                && config.loadTimeout()
                        .filter(timeout -> presence.since(loading.since(), now).compareTo(timeout) >= 0)
                        .isPresent();
    }

    private void end(WorkerInfo worker, Exit.Cause cause, String why) {
        if (stopper.endIfUnchanged(worker, cause)) {
            log.warn("worker {} is given up: {}; {}", worker.id(), why, diagnosis.missing(worker));
        }
    }
}
