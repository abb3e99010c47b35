package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;

/** A worker as log lines name it: by id, model and generation. The only place that formats these. */
record WorkerName(String id, String modelRef, int generation) {

    static WorkerName of(WorkerInfo worker) {
        return new WorkerName(worker.id(), worker.modelRef(), worker.generation());
    }

    WorkerName withGeneration(int other) {
        return new WorkerName(id, modelRef, other);
    }

    @Override
    public String toString() {
        return id + " (" + modelRef + ", generation " + generation + ")";
    }
}
