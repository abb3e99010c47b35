package io.github.workerregistry.pool;

import io.github.workerregistry.pool.WorkerSnapshot.Phase;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What an update does with each model: a pure function of the two configs and of the workers that run, each of which is
 * {@linkplain WorkerSnapshot#outdated outdated} or not by the config after.
 */
final class UpdatePlan {

    private final PoolConfig before;
    private final Room coming;

    /** What happens to a model. */
    enum Way {
        /** Nothing. */
        UNCHANGED,
        /** No worker is affected. */
        LIVE,
        /** The old workers serve until a new one is ready. */
        SURGE,
        /** The old workers are closed, then a new one is started. */
        IN_PLACE,
        /** It is new. */
        ADDED,
        /** It is not in the config any more. */
        REMOVED
    }

    /**
     * A model that was in the config before.
     *
     * @param workers its workers
     * @param isRevised whether one of them is outdated since this update
     * @param isReplacedInPlace whether a worker has been closed for one that is not ready yet
     */
    record Running(List<WorkerSnapshot> workers, boolean isRevised, boolean isReplacedInPlace) {

        /** Those that serve, of an earlier revision. */
        Stream<WorkerSnapshot> serving() {
            return outdated().filter(worker -> worker.phase() == Phase.READY && !worker.held());
        }

        Stream<WorkerSnapshot> outdated() {
            return workers.stream().filter(worker -> worker.isLive() && worker.outdated());
        }

        boolean hasCurrent() {
            return workers.stream().anyMatch(worker -> worker.isLive() && !worker.outdated());
        }
    }

    private UpdatePlan(PoolConfig before, PoolConfig after, Map<String, Running> running) {
        this.before = before;
        coming = new Room(after.devices(), after.maxWorkers());
        running.forEach((modelRef, model) -> {
            if (after.model(modelRef) != null) {
                Stream.concat(
                                model.workers.stream().filter(worker -> worker.isLive() && !worker.outdated()),
                                model.serving())
                        .forEach(worker -> coming.claim(worker.placement()));
            }
        });
    }

    /** For each model of either config, those of the config after first. */
    static Map<String, Way> of(PoolConfig before, PoolConfig after, Map<String, Running> running) {
        UpdatePlan plan = new UpdatePlan(before, after, running);
        Map<String, Way> ways = new LinkedHashMap<>();
        Running none = new Running(List.of(), false, false);
        for (ModelSpec spec : after.models()) {
            ways.put(spec.modelRef(), plan.way(spec, running.getOrDefault(spec.modelRef(), none)));
        }
        for (ModelSpec spec : before.models()) {
            ways.putIfAbsent(spec.modelRef(), Way.REMOVED);
        }
        return ways;
    }

    private Way way(ModelSpec now, Running model) {
        ModelSpec last = before.model(now.modelRef());
        if (last == null) {
            return Way.ADDED;
        }
        Way untouched = last.equals(now) ? Way.UNCHANGED : Way.LIVE;
        if (!model.isRevised && Revision.of(last).equals(Revision.of(now))) {
            return untouched; // an earlier update may be replacing its workers: that goes on
        }
        if (model.serving().findAny().isPresent()) {
            return hasRoom(now) ? Way.SURGE : Way.IN_PLACE;
        }
        boolean loads = model.outdated().findAny().isPresent() || model.isReplacedInPlace;
        return loads && !model.hasCurrent() ? Way.IN_PLACE : untouched;
    }

    /** Whether a new worker fits beside all that go on. Then its room is taken. */
    private boolean hasRoom(ModelSpec now) {
        if (!Revision.canSurge(now)) {
            return false;
        }
        for (Placement placement : coming.placements(now)) {
            if (coming.fits(placement)) {
                coming.claim(placement);
                return true;
            }
        }
        return false;
    }
}
