package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * The workers that a supervisor has spawned and that have not gone, each in its latest generation, by id. Thread-safe.
 */
final class SupervisedWorkers {

    private final ConcurrentMap<String, SupervisedWorker> byId = new ConcurrentHashMap<>();
    private final Set<SupervisedWorker> leaving = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /** No more workers are started. */
    void close() {
        closed = true;
    }

    boolean isClosed() {
        return closed;
    }

    /** Adds a worker unless its id is taken. */
    boolean add(SupervisedWorker worker) {
        return byId.putIfAbsent(worker.id, worker) == null;
    }

    /** Puts a generation in its predecessor's place, if that is still there. */
    void replace(SupervisedWorker predecessor, SupervisedWorker successor) {
        byId.replace(predecessor.id, predecessor, successor);
    }

    /**
     * Removes a worker whose record will be removed next. Its id is free at once, so that whoever hears of the end may
     * spawn it again. It is among those who leave until {@link SupervisedWorker#giveUp}.
     *
     * @return false if it was not there any more
     */
    boolean leave(SupervisedWorker worker) {
        leaving.add(worker);
        worker.successor.whenComplete((none, why) -> leaving.remove(worker));
        return byId.remove(worker.id, worker);
    }

    /** Those whose records are being removed. To see everyone, look at {@link #all} before. */
    Collection<SupervisedWorker> leaving() {
        return leaving;
    }

    /** Tells a worker's present generation that it is ready. */
    void becameReady(WorkerInfo ready, Instant now) {
        SupervisedWorker worker = byId.get(ready.id());
        if (worker != null && worker.owns(ready)) {
            worker.becameReady(ready, now);
        }
    }

    /** Whether a record is of a worker that was spawned here and whose process is not there yet. */
    boolean isWithoutProcess(WorkerInfo record) {
        SupervisedWorker worker = byId.get(record.id());
        return worker != null && (worker.owns(record) ? worker.process() == null : worker.isFollowedBy(record));
    }

    /** Whether a worker was spawned here and has not left yet, be it that its record will be removed next. */
    boolean have(String id) {
        return byId.containsKey(id) || leaving.stream().anyMatch(worker -> worker.id.equals(id));
    }

    /** Whether the stop of one of them is under way. One that has been found unkillable is left to the scheduler. */
    boolean areStopping() {
        return byId.values().stream().anyMatch(worker -> worker.stop.isUnderWay());
    }

    @Nullable
    SupervisedWorker get(String id) {
        return byId.get(id);
    }

    /** The generation of a worker that a record is of; empty if it is not supervised here, or not any more. */
    Optional<SupervisedWorker> generationOf(WorkerInfo record) {
        return Optional.ofNullable(byId.get(record.id())).filter(worker -> worker.isGenerationOf(record));
    }

    Collection<SupervisedWorker> all() {
        return byId.values();
    }
}
