package io.github.workerregistry.examples.queen;

import java.util.List;
import java.util.stream.IntStream;

/** Snapshots for tests. */
final class Snapshots {

    private Snapshots() {}

    static HiveSnapshot snapshot(String node, long incarnation, long revision, WorkerSnapshot... workers) {
        return new HiveSnapshot(node, "http://127.0.0.1:8081", incarnation, revision, 0, List.of(workers));
    }

    static HiveSnapshot at(String url, String node, WorkerSnapshot... workers) {
        return new HiveSnapshot(node, url, 1, 1, 0, List.of(workers));
    }

    static WorkerSnapshot worker(String id, String state, int slots, int free) {
        return worker(id, "m", state, slots, free);
    }

    static WorkerSnapshot worker(String id, String model, String state, int slots, int free) {
        return new WorkerSnapshot(id, "http://127.0.0.1:8100", model, "cpu", 0, state, slots, free, 1);
    }

    static WorkerSnapshot idle(String id) {
        return worker(id, "idle", 1, 1);
    }

    static WorkerSnapshot busy(String id) {
        return worker(id, "busy", 1, 0);
    }

    static HiveSnapshot large(int workers) {
        return new HiveSnapshot(
                "large",
                "http://127.0.0.1:8081",
                1,
                1,
                0,
                IntStream.range(0, workers).mapToObj(i -> idle("worker-" + i)).toList());
    }
}
