package io.github.workerregistry.examples.queen;

/**
 * A worker as the queen's clients see it: the fields that a hive gives it, and where it is.
 *
 * @param node its hive's node
 * @param confirmed false if it has called back and its hive's next snapshot has yet to come
 */
record WorkerOnNode(
        String node,
        String id,
        String url,
        String modelRef,
        String backend,
        int device,
        String state,
        int slotsTotal,
        int slotsAvailable,
        int generation,
        boolean confirmed) {

    static WorkerOnNode of(WorkerSnapshot worker, HiveView hive) {
        return new WorkerOnNode(
                hive.snapshot().node(),
                worker.id(),
                worker.url(),
                worker.modelRef(),
                worker.backend(),
                worker.device(),
                worker.state(),
                worker.slotsTotal(),
                worker.slotsAvailable(),
                worker.generation(),
                !hive.unconfirmed().containsKey(worker.id()));
    }
}
