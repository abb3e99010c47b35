package io.github.workerregistry.pool;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ModelDemand;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.PooledModel.LoadCall;
import io.github.workerregistry.pool.WorkerSnapshot.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The models and workers of a pool: who claims what, from before a start until the process has exited, and which loads
 * have failed. Used by the runner only.
 */
final class PooledWorkers {

    private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

    private final WorkerRegistry registry;
    private final WorkerSupervisor supervisor;
    private final SerialPasses passes;
    private final Consumer<PoolEvent> events;
    private final Map<String, PooledModel> models = new LinkedHashMap<>();
    private final Map<String, PooledWorker> workers = new HashMap<>();

    PooledWorkers(
            WorkerRegistry registry, WorkerSupervisor supervisor, SerialPasses passes, Consumer<PoolEvent> events) {
        this.registry = registry;
        this.supervisor = supervisor;
        this.passes = passes;
        this.events = events;
    }

    /** Replaces the models, in this order; those that are removed stay while they have workers. */
    void models(List<PooledModel> present) {
        List<PooledModel> removed = models.values().stream()
                .filter(model -> !present.contains(model))
                .toList();
        models.clear();
        present.forEach(model -> models.put(model.modelRef(), model));
        removed.stream()
                .filter(model -> !model.workers.isEmpty())
                .forEach(model -> models.put(model.modelRef(), model));
    }

    Collection<PooledModel> models() {
        return models.values();
    }

    PooledModel model(String modelRef) {
        PooledModel model = models.get(modelRef);
        if (model == null) {
            throw new UnknownModelException(modelRef);
        }
        return model;
    }

    /** The model; null if the config does not have it. */
    @Nullable
    PooledModel find(String modelRef) {
        PooledModel model = models.get(modelRef);
        return model == null || model.removed ? null : model;
    }

    /** The present spec of the worker's model. */
    ModelSpec specOf(PooledWorker worker) {
        return model(worker.spec.modelRef()).spec;
    }

    @Nullable
    PooledWorker worker(String id) {
        return workers.get(id);
    }

    Collection<PooledWorker> workers() {
        return workers.values();
    }

    LifecycleConfig lifecycleOf(ModelSpec spec) {
        return spec.worker().lifecycle().orElseGet(supervisor.access()::lifecycle);
    }

    private RestartPolicy restartPolicyOf(ModelSpec spec) {
        return spec.worker().restartPolicy().orElseGet(supervisor.access()::restartPolicy);
    }

    // The snapshot.

    /** Reads the registry. */
    List<ModelSnapshot> refresh(Instant now) {
        Map<String, List<WorkerInfo>> foreign = new HashMap<>();
        for (WorkerInfo record : registry.list()) {
            PooledWorker own = workers.get(record.id());
            if (own == null) {
                if (record.state().routable() || record.state() instanceof Loading) {
                    foreign.computeIfAbsent(record.modelRef(), first -> new ArrayList<>())
                            .add(record);
                }
            } else if (!own.isRemoved() && own.read(record, now)) {
                becameReady(own);
            }
        }
        Map<String, ModelDemand> demand = new HashMap<>();
        registry.supervision().demand().forEach(waiting -> demand.put(waiting.modelRef(), waiting));
        List<ModelSnapshot> snapshots = new ArrayList<>(models.size());
        for (PooledModel model : models.values()) {
            List<WorkerInfo> others = foreign.getOrDefault(model.modelRef(), List.of());
            completeLoads(model, others);
            completeReplacement(model);
            snapshots.add(snapshot(model, demand(model, demand.get(model.modelRef()), now), others, now));
        }
        return snapshots;
    }

    private ModelSnapshot snapshot(PooledModel model, Demand waiting, List<WorkerInfo> foreign, Instant now) {
        Demand demand = model.removed ? Demand.NONE : waiting;
        if (demand.exists()) {
            model.minimumSuspended = false;
        }
        return new ModelSnapshot(
                model.spec,
                model.pinned,
                !model.minimumSuspended && !model.removed,
                lifecycleOf(model.spec).idleTimeout(),
                model.failures.last(),
                demand,
                snapshots(model, now),
                foreign,
                model.isReplaced(true));
    }

    List<WorkerSnapshot> snapshots(PooledModel model, Instant now) {
        return model.workers.stream()
                .map(worker -> worker.snapshot(now, supervisor.access()))
                .toList();
    }

    private static Demand demand(PooledModel model, @Nullable ModelDemand requests, Instant now) {
        if (requests == null && model.loads.isEmpty()) {
            model.promised = false;
            return Demand.NONE;
        }
        Duration longest = requests == null ? Duration.ZERO : requests.longestWait();
        for (LoadCall load : model.loads) {
            Duration waited = Duration.between(load.since(), now);
            longest = waited.compareTo(longest) > 0 ? waited : longest;
        }
        return new Demand(
                requests == null ? 0 : requests.waiting(),
                model.loads.size(),
                longest,
                requests == null ? Map.of() : requests.longestWaits(),
                model.promised);
    }

    /** Once all workers of earlier revisions are closed, and one of the present revision is leased, if any is left. */
    private void completeReplacement(PooledModel model) {
        ModelReplacement open = model.openReplacement();
        if (open == null || !open.isSurge() || model.hasOutdated()) {
            return;
        }
        List<PooledWorker> present =
                model.workers.stream().filter(PooledWorker::isLive).toList();
        boolean leased = present.stream().anyMatch(worker -> worker.phase() == Phase.READY && !worker.isHeld());
        if (leased || present.isEmpty()) { // the old ones may have ended by themselves
            passes.afterwards(() -> open.result().complete(null));
        }
    }

    private void completeLoads(PooledModel model, List<WorkerInfo> foreign) {
        if (!model.loads.isEmpty()) {
            Stream<WorkerInfo> own = model.workers.stream()
                    .filter(worker -> worker.phase() == Phase.READY)
                    .map(PooledWorker::info);
            Stream.concat(own, foreign.stream().filter(worker -> worker.state().routable()))
                    .findFirst()
                    .ifPresent(info -> {
                        List<LoadCall> done = List.copyOf(model.loads);
                        model.loads.clear();
                        done.forEach(
                                load -> passes.afterwards(() -> load.result().complete(info)));
                    });
        }
    }

    // The life of a worker.

    /** Claims the room for a worker. */
    PooledWorker claim(PooledModel model, Placement placement, Instant now) {
        String id = supervisor.access().newId(model.modelRef());
        PooledWorker worker = new PooledWorker(id, model.spec, placement, now, model.hasOutdated());
        model.workers.add(worker);
        model.promised = false;
        workers.put(worker.id, worker);
        return worker;
    }

    private void becameReady(PooledWorker worker) {
        PooledModel model = model(worker.spec.modelRef());
        model.failures.served();
        model.totals.loaded(worker.loadTime());
        events.accept(new PoolEvent.Loaded(worker.info(), worker.loadTime()));
    }

    /** The call that starts its process has returned; if it failed, there is none. */
    void startReturned(PooledWorker worker, @Nullable Throwable failure, boolean counts) {
        worker.startReturned();
        if (failure != null) {
            worker.removed();
            if (counts && !worker.isEnding()) {
                fail(worker, Optional.empty(), LogText.describe(failure));
            }
        }
        releaseIfGone(worker);
    }

    /** Its record has been removed, and its process has exited. */
    void exited(PooledWorker worker, Optional<Exit> exit, Exit.Cause cause) {
        worker.removed();
        if (worker.isOutdated()) {
            log.debug("worker {} of an earlier revision has exited: {}", worker.id, cause);
        } else if (isStable(worker)) {
            model(worker.spec.modelRef()).failures.forget();
        } else if (!worker.isEnding() && (cause.isFailure() || cause == Exit.Cause.EXITED)) {
            fail(worker, exit, exit.map(Exit::describe).orElse(cause.toString()));
        }
        releaseIfGone(worker);
    }

    /** Its process has survived SIGKILL, and may never exit. */
    void survivedKill(PooledWorker worker) {
        if (worker.isGone() || worker.isUnkillable()) {
            return;
        }
        boolean failing = worker.phase() == Phase.FAILING;
        worker.survivedKill();
        log.warn("worker {}: its process has survived SIGKILL; its units stay claimed until it exits", worker.id);
        if (failing && !isStable(worker)) {
            fail(worker, Optional.empty(), "its process has survived SIGKILL");
        }
    }

    private boolean isStable(PooledWorker worker) {
        return worker.hasBeenReady()
                && worker.readyFor(registry.clock().instant())
                                .compareTo(restartPolicyOf(specOf(worker)).stableAfter())
                        >= 0;
    }

    private void fail(PooledWorker worker, Optional<Exit> exit, String message) {
        if (!worker.fail()) {
            return;
        }
        PooledModel model = model(worker.spec.modelRef());
        double random = ThreadLocalRandom.current().nextDouble();
        Instant now = registry.clock().instant();
        LoadFailure failure = model.failures.add(now, exit, message, restartPolicyOf(model.spec), random);
        model.totals.failedToLoad();
        log.info("model {}: worker {} failed to load: {}", model.modelRef(), worker.id, failure.describe());
        events.accept(new PoolEvent.LoadFailed(model.modelRef(), worker.id, exit, failure.retryAt()));
        Supplier<ModelLoadFailedException> exception =
                () -> new ModelLoadFailedException(model.modelRef(), failure, now);
        if (!model.hasLive()) {
            failLoads(model, exception);
        }
        if (model.isReplaced(true) && (!worker.hasBeenReady() || worker.isHeld())) {
            endReplacement(model, exception);
        }
    }

    /** Ends the replacement of a model's workers, if it is open: no old worker is replaced for it any more. */
    void endReplacement(PooledModel model, Supplier<? extends RuntimeException> exception) {
        ModelReplacement open = model.openReplacement();
        if (open != null) {
            model.replacement = null;
            model.loads.remove(open.load());
            passes.afterwards(() -> open.result().completeExceptionally(exception.get()));
        }
    }

    /** Fails all calls of load that wait. */
    void failLoads(PooledModel model, Supplier<? extends RuntimeException> exception) {
        List<LoadCall> failed = List.copyOf(model.loads);
        model.loads.clear();
        failed.forEach(load -> passes.afterwards(() -> load.result().completeExceptionally(exception.get())));
    }

    private void releaseIfGone(PooledWorker worker) {
        if (worker.isGone() && workers.remove(worker.id, worker)) {
            PooledModel model = model(worker.spec.modelRef());
            model.workers.remove(worker);
            if (model.removed && model.workers.isEmpty()) {
                models.remove(model.modelRef(), model);
            }
            if (worker.isUnkillable()) {
                log.info("worker {}: its process has exited; its units are free", worker.id);
            }
            model.totals.wasResident(worker.readyFor(registry.clock().instant()));
            passes.afterwards(() -> worker.gone.complete(null));
        }
    }
}
