package io.github.workerregistry.pool;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.pool.UpdatePlan.Running;
import io.github.workerregistry.pool.UpdatePlan.Way;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Applies another config to a pool that runs, between two passes. Used by the runner only. */
final class Updater {

    private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

    private final WorkerRegistry registry;
    private final PooledWorkers pooled;
    private final WorkerStarter starter;
    private final Function<String, ModelTotals> totals;

    Updater(
            WorkerRegistry registry,
            PooledWorkers pooled,
            WorkerStarter starter,
            Function<String, ModelTotals> totals) {
        this.registry = registry;
        this.pooled = pooled;
        this.starter = starter;
        this.totals = totals;
    }

    UpdateReport apply(PoolConfig before, PoolConfig after) {
        Instant now = registry.clock().instant();
        pooled.refresh(now);
        Map<String, Running> running = new HashMap<>();
        for (PooledModel model : List.copyOf(pooled.models())) {
            ModelSpec spec = after.model(model.modelRef());
            if (spec != null && !model.removed) {
                running.put(model.modelRef(), running(model, spec, after, now));
            }
        }
        Map<String, Way> ways = UpdatePlan.of(before, after, running);
        List<PooledModel> present = new ArrayList<>();
        ways.forEach((modelRef, way) -> {
            if (way == Way.REMOVED) {
                remove(pooled.model(modelRef));
            } else {
                present.add(apply(requireNonNull(after.model(modelRef)), way, now));
            }
        });
        pooled.models(present);
        UpdateReport report = report(ways, present);
        log.info("the config of the pool has been updated: {}", ways);
        return report;
    }

    /** Marks the workers that another process must replace. */
    private Running running(PooledModel model, ModelSpec spec, PoolConfig after, Instant now) {
        boolean revised = false;
        for (PooledWorker worker : model.workers) {
            boolean outdated = !Revision.isCurrent(worker.spec, worker.placement, spec, after.devices());
            revised |= outdated && !worker.isOutdated() && worker.isLive();
            worker.outdated(outdated);
        }
        return new Running(pooled.snapshots(model, now), revised, model.isReplaced(false));
    }

    private PooledModel apply(ModelSpec spec, Way way, Instant now) {
        if (way == Way.ADDED) {
            return added(spec);
        }
        PooledModel model = pooled.model(spec.modelRef());
        if (way == Way.SURGE || Revision.deservesAnotherTry(model.spec, spec)) { // or a surge would wait for ever
            model.failures.forget();
        }
        boolean sameRevision = Revision.of(model.spec).equals(Revision.of(spec));
        model.spec = spec;
        if (way == Way.SURGE || way == Way.IN_PLACE || !sameRevision) {
            pooled.endReplacement(model, () -> new CancellationException("another update has replaced this one"));
        }
        if (way == Way.IN_PLACE) {
            starter.close(outdated(model), StopReason.REPLACED);
            ModelReplacement replacement = ModelReplacement.inPlace(now);
            model.replacement = replacement;
            model.loads.add(requireNonNull(replacement.load()));
        } else {
            List<PooledWorker> neverLeased = outdated(model).stream()
                    .filter(worker -> !worker.hasBeenReady() || worker.isHeld())
                    .toList();
            starter.close(neverLeased, StopReason.REPLACED);
        }
        if (way == Way.SURGE) {
            model.replacement = ModelReplacement.surge();
        }
        return model;
    }

    /** It may have been removed, with workers that have not exited yet. */
    private PooledModel added(ModelSpec spec) {
        return pooled.models().stream()
                .filter(model -> model.modelRef().equals(spec.modelRef()))
                .findFirst()
                .map(model -> model.restore(spec))
                .orElseGet(() -> new PooledModel(spec, totals.apply(spec.modelRef())));
    }

    private static List<PooledWorker> outdated(PooledModel model) {
        return model.workers.stream()
                .filter(worker -> worker.isLive() && worker.isOutdated())
                .toList();
    }

    private void remove(PooledModel model) {
        model.removed = true;
        model.pinned = false;
        pooled.endReplacement(model, () -> removed(model.modelRef()));
        pooled.failLoads(model, () -> removed(model.modelRef()));
        registry.supervision().failWaiting(model.modelRef(), request -> true, () -> removed(model.modelRef()));
        List<PooledWorker> open =
                model.workers.stream().filter(worker -> !worker.isEnding()).toList();
        starter.close(open, StopReason.REQUESTED);
    }

    /** The exception of requests for a model that has been removed. */
    static NoWorkerException removed(String modelRef) {
        return new NoWorkerException(modelRef, "model " + modelRef + " has been removed from the pool");
    }

    private static UpdateReport report(Map<String, Way> ways, List<PooledModel> present) {
        Function<Way, List<String>> models = way -> ways.entrySet().stream()
                .filter(entry -> entry.getValue() == way)
                .map(Map.Entry::getKey)
                .toList();
        return new UpdateReport(
                models.apply(Way.UNCHANGED),
                models.apply(Way.LIVE),
                models.apply(Way.SURGE),
                models.apply(Way.IN_PLACE),
                models.apply(Way.ADDED),
                models.apply(Way.REMOVED),
                completion(present).minimalCompletionStage());
    }

    private static CompletableFuture<Void> completion(List<PooledModel> models) {
        CompletableFuture<Void> completion = new CompletableFuture<>();
        CompletableFuture.allOf(models.stream()
                        .map(PooledModel::openReplacement)
                        .filter(Objects::nonNull)
                        .map(ModelReplacement::result)
                        .toArray(CompletableFuture[]::new))
                .whenComplete((none, failure) -> {
                    if (failure == null) {
                        completion.complete(null);
                    } else {
                        completion.completeExceptionally(
                                failure instanceof CompletionException wrapped && wrapped.getCause() != null
                                        ? wrapped.getCause()
                                        : failure);
                    }
                });
        return completion;
    }
}
