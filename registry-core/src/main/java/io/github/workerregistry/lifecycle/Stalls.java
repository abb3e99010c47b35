package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a load has stalled, see {@link LifecycleConfig#loadStall()}.
 *
 * <p>Silence counts only against a worker that can break it: one whose output is recorded, or that sent a heartbeat, or
 * of which progress was reported, at least once in this generation.
 */
final class Stalls {

    private final SupervisedWorkers workers;
    private final Duration loadStall;
    private final Presence presence;

    Stalls(SupervisedWorkers workers, Duration loadStall, Presence presence) {
        this.workers = workers;
        this.loadStall = loadStall;
        this.presence = presence;
    }

    /** Whether a worker that loads has shown nothing for {@code loadStall}. */
    boolean isStalled(WorkerInfo worker, Instant now) {
        SupervisedWorker supervised = workers.get(worker.id());
        SupervisedWorker own = supervised != null && supervised.owns(worker) ? supervised : null;
        return worker.state() instanceof Loading loading
                && presence.since(lastSign(worker, loading, own), now).compareTo(loadStall) >= 0
                && canBreakSilence(worker, own);
    }

    private static Instant lastSign(WorkerInfo worker, Loading loading, @Nullable SupervisedWorker own) {
        Instant last = later(loading.since(), worker.lastHeartbeat().orElse(Instant.MIN));
        return own == null ? last : later(last, own.load.last());
    }

    private static boolean canBreakSilence(WorkerInfo worker, @Nullable SupervisedWorker own) {
        return worker.lastHeartbeat().isPresent() || (own != null && (own.load.isReported() || own.recordsOutput()));
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }
}
