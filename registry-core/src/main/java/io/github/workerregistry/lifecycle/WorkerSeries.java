package io.github.workerregistry.lifecycle;

/**
 * What all generations of one worker have in common, from its spawn to its removal.
 *
 * @param spec what it was spawned with
 * @param rules how it is evaluated, restarted and stopped
 * @param restarts the failures and restarts so far
 * @param serialExecutor runs the decisions about this worker
 * @param output what it prints, for those who follow it
 */
record WorkerSeries(
        String id,
        WorkerSpec spec,
        WorkerRules rules,
        RestartHistory restarts,
        SerialExecutor serialExecutor,
        OutputFeed output) {}
