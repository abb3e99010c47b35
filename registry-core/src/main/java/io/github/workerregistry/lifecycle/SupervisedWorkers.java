package io.github.workerregistry.lifecycle;

import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/** The workers that a supervisor has spawned and that have not gone, by id. Thread-safe. */
final class SupervisedWorkers {

    private final ConcurrentMap<String, SupervisedWorker> byId = new ConcurrentHashMap<>();

    /** Adds a worker unless its id is taken. */
    boolean add(SupervisedWorker worker) {
        return byId.putIfAbsent(worker.id, worker) == null;
    }

    void remove(SupervisedWorker worker) {
        byId.remove(worker.id, worker);
    }

    @Nullable
    SupervisedWorker get(String id) {
        return byId.get(id);
    }

    Collection<SupervisedWorker> all() {
        return byId.values();
    }
}
