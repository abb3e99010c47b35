package io.github.workerregistry.examples.queen;

/**
 * A worker in the queen's JSON: its fields from the hive's snapshot, and its node.
 *
 * @param node the node of its hive
 * @param confirmed false after a ready call until the next snapshot of its hive
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
