package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;

/** Determines why a loading worker is not ready yet, as far as this supervisor knows. */
final class LoadDiagnosis {

    private final ProbeLoop probes;
    private final SupervisedWorkers workers;
    private volatile boolean calledBack;

    /** A diagnosis before the first call-back. */
    LoadDiagnosis(ProbeLoop probes, SupervisedWorkers workers) {
        this.probes = probes;
        this.workers = workers;
    }

    /** Records that a call-back has made a worker ready. Called on any thread. */
    void calledBack() {
        calledBack = true;
    }

    boolean isProbed(WorkerInfo worker) {
        return workers.rulesOf(worker).isProbed();
    }

    /** Whether workers without a probe are unlikely to become ready: none has called back. */
    boolean isUnlikelyWithoutProbe() {
        return !calledBack;
    }

    /** Why a worker is not ready, as the end of a sentence. */
    String missing(WorkerInfo worker) {
        if (workers.generationOf(worker)
                .filter(SupervisedWorker::hasForeignPortOwner)
                .isPresent()) {
            return "another process answers its health checks";
        }
        if (isProbed(worker)) {
            return probes.lastAnswer(worker)
                    .map(answer -> "last health check: " + answer)
                    .orElse("no health check has been answered");
        }
        return calledBack ? "it has not called back" : "no health probe is set: only reportReady(id) makes it ready";
    }
}
