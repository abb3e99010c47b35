package io.github.workerregistry.examples.queen;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the queen knows of one hive.
 *
 * @param snapshot its last snapshot
 * @param receivedAt when that came, in {@code System.nanoTime} of the queen
 * @param unconfirmed the workers that have called back since, by id
 * @param workers those of the snapshot, and in their place, or after them, those that have called back
 * @param models the same, by model
 */
record HiveView(
        HiveSnapshot snapshot,
        long receivedAt,
        Map<String, CallBack> unconfirmed,
        List<WorkerSnapshot> workers,
        Map<String, ModelView> models) {

    /**
     * A worker that says that it is ready, and whose hive has not said so yet.
     *
     * @param worker the worker, idle
     * @param at when it called, as {@link #receivedAt}
     */
    record CallBack(WorkerSnapshot worker, long at) {
        boolean isBefore(long moment) {
            return at - moment < 0;
        }
    }

    static HiveView of(HiveSnapshot snapshot, long receivedAt) {
        return of(snapshot, receivedAt, Map.of());
    }

    private static HiveView of(HiveSnapshot snapshot, long receivedAt, Map<String, CallBack> unconfirmed) {
        List<WorkerSnapshot> workers = new ArrayList<>(snapshot.workers());
        workers.removeIf(worker -> unconfirmed.containsKey(worker.id()));
        unconfirmed.values().forEach(call -> workers.add(call.worker()));
        return new HiveView(
                snapshot,
                receivedAt,
                Collections.unmodifiableMap(unconfirmed),
                List.copyOf(workers),
                byModel(snapshot, workers));
    }

    private static Map<String, ModelView> byModel(HiveSnapshot snapshot, List<WorkerSnapshot> all) {
        Map<String, List<WorkerSnapshot>> workers = new HashMap<>();
        for (WorkerSnapshot worker : all) {
            workers.computeIfAbsent(worker.modelRef(), model -> new ArrayList<>())
                    .add(worker);
        }
        Map<String, ModelView> models = new HashMap<>();
        workers.forEach((model, those) -> models.put(model, new ModelView(snapshot, those)));
        return Map.copyOf(models);
    }

    Optional<WorkerSnapshot> worker(String id) {
        return workers.stream().filter(worker -> worker.id().equals(id)).findFirst();
    }

    /** This hive with a worker that has called back, in place of what the snapshot says of it, if it does. */
    HiveView with(CallBack call) {
        Map<String, CallBack> calls = new LinkedHashMap<>(unconfirmed);
        calls.put(call.worker().id(), call);
        return of(snapshot, receivedAt, calls);
    }

    /** This hive without the call-backs that came before a moment: of those workers, the snapshot is right. */
    HiveView withoutCallBacksBefore(long oldest) {
        Map<String, CallBack> calls = new LinkedHashMap<>(unconfirmed);
        calls.values().removeIf(call -> call.isBefore(oldest));
        return of(snapshot, receivedAt, calls);
    }

    boolean hasCallBackBefore(long oldest) {
        return unconfirmed.values().stream().anyMatch(call -> call.isBefore(oldest));
    }
}
