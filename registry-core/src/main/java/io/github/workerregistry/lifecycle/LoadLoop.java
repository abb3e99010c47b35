package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends loads that have stalled: no fixed time to load, but no silence either. Progress is growth of the worker's
 * output, which {@link OutputLoop} reads, a heartbeat, or the host's word.
 */
final class LoadLoop implements Tick {

    /** How often loads are judged. */
    static final Duration PERIOD = Duration.ofSeconds(1);

    private static final Logger log = LoggerFactory.getLogger(LoadLoop.class);

    private final SupervisedRecords records;
    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final Duration loadStall;
    private final Presence presence;

    LoadLoop(
            SupervisedRecords records,
            SupervisedWorkers workers,
            Stopper stopper,
            Duration loadStall,
            Presence presence) {
        this.records = records;
        this.workers = workers;
        this.stopper = stopper;
        this.loadStall = loadStall;
        this.presence = presence;
    }

    @Override
    public void late(Instant now) {
        // no verdict
    }

    @Override
    public void tick(Instant now) {
        for (WorkerInfo worker : records.list()) {
            if (worker.state() instanceof Loading loading
                    && presence.since(lastProgress(worker, loading), now).compareTo(loadStall) >= 0
                    && stopper.endIfUnchanged(worker, Exit.Cause.LOAD_STALL)) {
                log.warn("worker {} is given up: its load made no progress for {}", worker.id(), loadStall);
            }
        }
    }

    private Instant lastProgress(WorkerInfo worker, Loading loading) {
        Instant last = loading.since();
        SupervisedWorker supervised = workers.get(worker.id());
        if (supervised != null) {
            last = later(last, supervised.lastProgress());
        }
        return worker.lastHeartbeat().isPresent()
                ? later(last, worker.lastHeartbeat().get())
                : last;
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }
}
