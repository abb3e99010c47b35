package io.github.workerregistry.examples.queen;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the queen knows of one hive.
 *
 * @param snapshot its last snapshot, and the workers that have called back since
 * @param receivedAt when the snapshot came, in {@code System.nanoTime} of the queen
 * @param models the same, by model
 * @param unconfirmed the ids of the workers that have called back since
 */
record HiveView(HiveSnapshot snapshot, long receivedAt, Map<String, ModelView> models, Set<String> unconfirmed) {

    static HiveView of(HiveSnapshot snapshot, long receivedAt) {
        return new HiveView(snapshot, receivedAt, byModel(snapshot), Set.of());
    }

    private static Map<String, ModelView> byModel(HiveSnapshot snapshot) {
        Map<String, List<WorkerSnapshot>> workers = new HashMap<>();
        for (WorkerSnapshot worker : snapshot.workers()) {
            workers.computeIfAbsent(worker.modelRef(), model -> new ArrayList<>())
                    .add(worker);
        }
        Map<String, ModelView> models = new HashMap<>();
        workers.forEach((model, those) -> models.put(model, new ModelView(snapshot, those)));
        return Map.copyOf(models);
    }

    Optional<WorkerSnapshot> worker(String id) {
        return snapshot.workers().stream()
                .filter(worker -> worker.id().equals(id))
                .findFirst();
    }

    /** This hive with a worker that has called back, in place of what the snapshot says of it, if it does. */
    HiveView with(WorkerSnapshot ready) {
        List<WorkerSnapshot> workers = new ArrayList<>(snapshot.workers());
        workers.removeIf(worker -> worker.id().equals(ready.id()));
        workers.add(ready);
        HiveSnapshot more = snapshot.withWorkers(workers, snapshot.omitted());
        Set<String> called = new TreeSet<>(unconfirmed);
        called.add(ready.id());
        return new HiveView(more, receivedAt, byModel(more), Set.copyOf(called));
    }
}
