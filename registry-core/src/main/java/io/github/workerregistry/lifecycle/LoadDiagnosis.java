package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import org.jspecify.annotations.Nullable;

/** What can make a loading worker ready, and why it is not ready yet, as far as this supervisor knows. */
final class LoadDiagnosis {

    private final @Nullable ProbeLoop probes;
    private final SupervisedWorkers workers;
    private volatile boolean calledBack;

    /**
     * Without a call-back so far.
     *
     * @param probes null if workers are not probed
     */
    LoadDiagnosis(@Nullable ProbeLoop probes, SupervisedWorkers workers) {
        this.probes = probes;
        this.workers = workers;
    }

    /** A call-back has made a worker ready. Called on any thread. */
    void calledBack() {
        calledBack = true;
    }

    boolean isProbed() {
        return probes != null;
    }

    /** Whether a worker can become ready in no way that is known: there is no probe, and no worker has called back. */
    boolean isUnlikely() {
        return probes == null && !calledBack;
    }

    /** Why a worker is not ready, as the end of a sentence. */
    String missing(WorkerInfo worker) {
        if (workers.generationOf(worker)
                .filter(SupervisedWorker::hasForeignListener)
                .isPresent()) {
            return "another process answers its health checks";
        }
        if (probes != null) {
            return probes.lastAnswer(worker)
                    .map(answer -> "its last health check said: " + answer)
                    .orElse("no health check has been answered");
        }
        return calledBack ? "it has not called back" : "no health probe is set: only ready(id) makes it ready";
    }
}
