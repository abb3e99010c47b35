package io.github.workerregistry.lifecycle;

import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;

/** Ends loads that have stalled, by the decision of {@link StallDetector}, or that have taken too long. */
final class LoadLoop implements Tick {

    /** How often loads are evaluated. */
    static final Duration PERIOD = Duration.ofSeconds(1);

    private final SupervisedRecords records;
    private final Stopper stopper;
    private final StallDetector stalls;
    private final LoadDiagnosis diagnosis;
    private final SupervisedWorkers workers;
    private final PauseTracker pauses;

    LoadLoop(
            SupervisedRecords records,
            SupervisedWorkers workers,
            Stopper stopper,
            StallDetector stalls,
            LoadDiagnosis diagnosis,
            PauseTracker pauses) {
        this.records = records;
        this.workers = workers;
        this.stopper = stopper;
        this.stalls = stalls;
        this.diagnosis = diagnosis;
        this.pauses = pauses;
    }

    @Override
    public void tick(Instant now) {
        for (WorkerInfo worker : records.list()) {
            if (worker.state() instanceof Loading loading) {
                evaluate(worker, loading, now);
            }
        }
    }

    private void evaluate(WorkerInfo worker, Loading loading, Instant now) {
        LifecycleConfig config = workers.rulesOf(worker).lifecycle();
        if (stalls.isStalled(worker, now)) {
            end(worker, StopReason.LOAD_STALL, "its load made no progress for " + config.loadStallTimeout());
            return;
        }
        config.loadTimeout()
                .filter(timeout -> pauses.activeTime(loading.since(), now).compareTo(timeout) >= 0)
                .ifPresent(timeout -> end(worker, StopReason.LOAD_TIMEOUT, "it was not ready within " + timeout));
    }

    private void end(WorkerInfo worker, StopReason reason, String detail) {
        stopper.stopFailed(worker, reason, detail + "; " + diagnosis.missing(worker));
    }
}
