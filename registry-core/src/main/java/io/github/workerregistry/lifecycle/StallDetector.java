package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Decides whether a load has stalled, see {@link LifecycleConfig#loadStallTimeout()}.
 *
 * <p>Silence counts only against a worker that can break it: one whose output is recorded, or that sent a heartbeat, or
 * of which progress was reported, at least once in this generation.
 *
 * <p>Output that may be an echo of our probes is no progress, but it is no silence either: its writer may be unlucky
 * and write whenever a probe is open. So after {@code loadStallTimeout} without progress the worker is probed no more.
 * What it writes then is progress, and a worker that writes nothing then for {@code loadStallTimeout} has stalled.
 */
final class StallDetector {

    private final SupervisedWorkers workers;
    private final Duration loadStallTimeout;
    private final PauseTracker pauses;

    StallDetector(SupervisedWorkers workers, Duration loadStallTimeout, PauseTracker pauses) {
        this.workers = workers;
        this.loadStallTimeout = loadStallTimeout;
        this.pauses = pauses;
    }

    /**
     * Whether probing of a load pauses: it had no progress for the timeout, but its output may hide some. A load
     * without any output is probed until it is stopped.
     */
    boolean isProbingPaused(WorkerInfo worker, Instant now) {
        Instant lastProgress = lastProgress(worker);
        return lastOutput(worker).isAfter(lastProgress) && isOver(lastProgress, now) && canShowProgress(worker);
    }

    /** Whether a load has shown nothing at all for so long that it is to be ended. */
    boolean isStalled(WorkerInfo worker, Instant now) {
        return isOver(later(lastProgress(worker), lastOutput(worker)), now) && canShowProgress(worker);
    }

    private Instant lastOutput(WorkerInfo worker) {
        return load(worker).map(LoadProgress::lastOutput).orElse(Instant.MIN);
    }

    private boolean isOver(Instant last, Instant now) {
        return pauses.activeTime(last, now).compareTo(loadStallTimeout) >= 0;
    }

    private Instant lastProgress(WorkerInfo worker) {
        Instant began = worker.state() instanceof Loading loading ? loading.since() : Instant.MAX;
        Instant reported = later(began, worker.lastHeartbeat().orElse(Instant.MIN));
        return later(reported, load(worker).map(LoadProgress::last).orElse(Instant.MIN));
    }

    private boolean canShowProgress(WorkerInfo worker) {
        return worker.lastHeartbeat().isPresent()
                || load(worker).filter(LoadProgress::isReported).isPresent()
                || workers.generationOf(worker)
                        .filter(SupervisedWorker::recordsOutput)
                        .isPresent();
    }

    private Optional<LoadProgress> load(WorkerInfo worker) {
        return workers.generationOf(worker).map(supervised -> supervised.load);
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }
}
