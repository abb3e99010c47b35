package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/** The spawned workers of a supervisor that have not been removed, in their latest generation, by id. Thread-safe. */
final class SupervisedWorkers {

    private final ConcurrentMap<String, SupervisedWorker> byId = new ConcurrentHashMap<>();
    private final Set<SupervisedWorker> beingRemoved = ConcurrentHashMap.newKeySet();
    private final Set<OutputFollower> ending = ConcurrentHashMap.newKeySet();
    private final WorkerRules defaults;
    private volatile boolean closed;

    /**
     * No workers yet.
     *
     * @param defaults the rules of workers that have none of their own
     */
    SupervisedWorkers(WorkerRules defaults) {
        this.defaults = defaults;
    }

    /** The rules of the supervisor: those of a worker that the hive registered itself. */
    WorkerRules defaults() {
        return defaults;
    }

    /** The rules of a record's worker. */
    WorkerRules rulesOf(WorkerInfo record) {
        SupervisedWorker worker = spawned(record.id());
        return worker != null && (worker.isGenerationOf(record) || worker.isFollowedBy(record))
                ? worker.rules()
                : defaults;
    }

    private @Nullable SupervisedWorker spawned(String id) {
        SupervisedWorker worker = byId.get(id); // first: remove() moves a worker from here to beingRemoved
        if (worker == null && !beingRemoved.isEmpty()) {
            return beingRemoved.stream()
                    .filter(removed -> removed.id.equals(id))
                    .findAny()
                    .orElse(null);
        }
        return worker;
    }

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

    /** Replaces a generation by its successor, unless it has been removed. */
    void replace(SupervisedWorker predecessor, SupervisedWorker successor) {
        byId.replace(predecessor.id, predecessor, successor);
    }

    /**
     * Removes a worker whose record will be removed next. Its id is free at once, so that a listener may spawn it
     * again. The worker is in {@link #beingRemoved} until {@link SupervisedWorker#fail}.
     *
     * @return false if it had been removed before
     */
    boolean remove(SupervisedWorker worker) {
        beingRemoved.add(worker);
        worker.successor.whenComplete((none, why) -> {
            beingRemoved.remove(worker);
            ending.addAll(worker.series.output().followers());
            worker.series.output().end();
        });
        return byId.remove(worker.id, worker);
    }

    /** The workers whose records are being removed. To miss none, read {@link #all} first. */
    Collection<SupervisedWorker> beingRemoved() {
        return beingRemoved;
    }

    /** The followers of workers that have been removed, until {@link OutputFollower#isClosed}. */
    Set<OutputFollower> ending() {
        return ending;
    }

    /** Records that a worker's current generation is ready. */
    void becameReady(WorkerInfo ready, Instant now) {
        SupervisedWorker worker = byId.get(ready.id());
        if (worker != null && worker.owns(ready)) {
            worker.becameReady(ready, now);
        }
    }

    /** Whether a record is of a worker that was spawned here and has no process yet. */
    boolean isWithoutProcess(WorkerInfo record) {
        SupervisedWorker worker = byId.get(record.id());
        return worker != null && (worker.owns(record) ? worker.process() == null : worker.isFollowedBy(record));
    }

    /** Whether a worker was spawned here and its record has not been removed. */
    boolean contains(String id) {
        return byId.containsKey(id) || beingRemoved.stream().anyMatch(worker -> worker.id.equals(id));
    }

    /** Whether any stop is running. Unkillable workers do not count; they are left to the scheduler. */
    boolean hasOpenStops() {
        return byId.values().stream().anyMatch(worker -> worker.stop.isUnderWay());
    }

    @Nullable
    SupervisedWorker get(String id) {
        return byId.get(id);
    }

    /** The supervised generation of a record; empty if it is not, or no longer, supervised here. */
    Optional<SupervisedWorker> generationOf(WorkerInfo record) {
        return Optional.ofNullable(byId.get(record.id())).filter(worker -> worker.isGenerationOf(record));
    }

    Collection<SupervisedWorker> all() {
        return byId.values();
    }
}
