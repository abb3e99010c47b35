package io.github.workerregistry.examples.queen;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The queen's view of one hive.
 *
 * @param snapshot its last snapshot
 * @param receivedAt when it was received, in {@code System.nanoTime} of the queen
 * @param unconfirmed the workers with a ready call since, by id
 * @param workers those of the snapshot, replaced or followed by those with a ready call
 * @param models the workers by model
 */
record HiveView(
        HiveSnapshot snapshot,
        long receivedAt,
        Map<String, CallBack> unconfirmed,
        List<WorkerSnapshot> workers,
        Map<String, ModelView> models) {

    /**
     * A ready call that no snapshot has confirmed yet.
     *
     * @param worker the worker, idle
     * @param at when it was received, as {@link #receivedAt}
     */
    record CallBack(WorkerSnapshot worker, long at) {
        boolean isBefore(long time) {
            return at - time < 0;
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

    /** This hive with the ready call of a worker, which replaces the worker's entry of the snapshot, if any. */
    HiveView with(CallBack call) {
        Map<String, CallBack> calls = new LinkedHashMap<>(unconfirmed);
        calls.put(call.worker().id(), call);
        return of(snapshot, receivedAt, calls);
    }

    /** This hive without the ready calls before a time: for those workers the snapshot applies. */
    HiveView withoutCallBacksBefore(long oldest) {
        Map<String, CallBack> calls = new LinkedHashMap<>(unconfirmed);
        calls.values().removeIf(call -> call.isBefore(oldest));
        return of(snapshot, receivedAt, calls);
    }

    boolean hasCallBackBefore(long oldest) {
        return unconfirmed.values().stream().anyMatch(call -> call.isBefore(oldest));
    }
}
