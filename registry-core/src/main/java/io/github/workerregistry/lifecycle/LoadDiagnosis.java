package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import org.jspecify.annotations.Nullable;

/** Determines why a loading worker is not ready yet, as far as this supervisor knows. */
final class LoadDiagnosis {

    private final @Nullable ProbeLoop probes;
    private final SupervisedWorkers workers;
    private volatile boolean calledBack;

    /**
     * A diagnosis before the first call-back.
     *
     * @param probes null if workers are not probed
     */
    LoadDiagnosis(@Nullable ProbeLoop probes, SupervisedWorkers workers) {
        this.probes = probes;
        this.workers = workers;
    }

    /** Records that a call-back has made a worker ready. Called on any thread. */
    void calledBack() {
        calledBack = true;
    }

    boolean isProbed() {
        return probes != null;
    }

    /** Whether a worker is unlikely to become ready: there is no probe, and no worker has called back. */
    boolean isUnlikely() {
        return probes == null && !calledBack;
    }

    /** Why a worker is not ready, as the end of a sentence. */
    String missing(WorkerInfo worker) {
        if (workers.generationOf(worker)
                .filter(SupervisedWorker::hasForeignPortOwner)
                .isPresent()) {
            return "another process answers its health checks";
        }
        if (probes != null) {
            return probes.lastAnswer(worker)
                    .map(answer -> "last health check: " + answer)
                    .orElse("no health check has been answered");
        }
        return calledBack ? "it has not called back" : "no health probe is set: only reportReady(id) makes it ready";
    }
}
