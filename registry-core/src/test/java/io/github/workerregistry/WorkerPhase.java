package io.github.workerregistry;

import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;

/** The position of a worker in the order of its transitions. */
final class WorkerPhase {

    private WorkerPhase() {}

    /** A number that grows with each transition of a worker, except between Idle and Busy. */
    static long of(WorkerInfo worker) {
        WorkerState state = worker.state();
        int phase = state instanceof Loading ? 0 : state.routable() ? 1 : state instanceof Stopping ? 2 : 3;
        return worker.generation() * 4L + phase;
    }
}
