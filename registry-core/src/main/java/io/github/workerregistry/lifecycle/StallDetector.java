package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Decides whether a load has stalled, see {@link LifecycleConfig#loadStallTimeout()}.
 *
 * <p>A load can stall only if its worker can show progress: its output is recorded, or in this generation it sent a
 * heartbeat or progress was reported.
 *
 * <p>Output that may be an echo of a probe is neither progress nor a stall: a worker may write only while a probe is
 * open. So after {@code loadStallTimeout} without progress, the worker is probed no more. From then on all output is
 * progress, and a worker without output for {@code loadStallTimeout} has stalled.
 */
final class StallDetector {

    private final SupervisedWorkers workers;
    private final PauseTracker pauses;

    StallDetector(SupervisedWorkers workers, PauseTracker pauses) {
        this.workers = workers;
        this.pauses = pauses;
    }

    /**
     * Whether probing of a load is paused: it made no progress within the timeout, but wrote output that may be more
     * than an echo. A load without any output is probed until it is stopped.
     */
    boolean isProbingPaused(WorkerInfo worker, Instant now) {
        Instant lastProgress = lastProgress(worker);
        return lastOutput(worker).isAfter(lastProgress) && isOver(worker, lastProgress, now) && canShowProgress(worker);
    }

    /** Whether a load had neither progress nor output within the timeout, so that it is stopped. */
    boolean isStalled(WorkerInfo worker, Instant now) {
        return isOver(worker, later(lastProgress(worker), lastOutput(worker)), now) && canShowProgress(worker);
    }

    private Instant lastOutput(WorkerInfo worker) {
        return load(worker).map(LoadProgress::lastOutput).orElse(Instant.MIN);
    }

    private boolean isOver(WorkerInfo worker, Instant last, Instant now) {
        Duration timeout = workers.rulesOf(worker).lifecycle().loadStallTimeout();
        return pauses.activeTime(last, now).compareTo(timeout) >= 0;
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
