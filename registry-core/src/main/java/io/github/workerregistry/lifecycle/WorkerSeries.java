package io.github.workerregistry.lifecycle;

/**
 * What the generations of one worker have in common, from its spawn to its removal, or to its replacement in place,
 * which begins another series of the same worker.
 *
 * @param id the worker's id
 * @param spec what it was spawned with
 * @param rules how it is evaluated, restarted and stopped
 * @param restarts the failures and restarts so far
 * @param serialExecutor runs the decisions about this worker, over all its series
 * @param output what it writes, for its followers, over all its series
 */
record WorkerSeries(
        String id,
        WorkerSpec spec,
        WorkerRules rules,
        RestartHistory restarts,
        SerialExecutor serialExecutor,
        OutputFeed output) {

    /** Whether both are series of the same worker, and not of two workers that have had the same id. */
    boolean isOfSameWorker(WorkerSeries other) {
        return serialExecutor.equals(other.serialExecutor);
    }
}
