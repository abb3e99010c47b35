package io.github.workerregistry.pool;

import static io.github.workerregistry.internal.Durations.longer;

import io.github.workerregistry.Exit;
import io.github.workerregistry.Subscription;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerEvent.BecameReady;
import io.github.workerregistry.WorkerEvent.Overflowed;
import io.github.workerregistry.WorkerEvent.Removed;
import io.github.workerregistry.WorkerEvent.StopStarted;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a pool: takes the snapshot, has it planned, and executes the plan, one pass after another. A pass follows from
 * requests that begin to wait, workers that become ready, idle or removed, calls of the hive, and the timer.
 */
final class PoolRunner {

    private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

    /** The least time before the timer's next pass. */
    private static final Duration SOON = Duration.ofMillis(10);

    /** The time before another pass after one that failed. */
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

    final PoolFeed feed;
    final SerialPasses passes;

    private final WorkerRegistry registry;
    private final EvictionPolicy policy;
    private final PooledWorkers pooled;
    private final WorkerStarter starter;
    private final PlanRunner plans;
    private final WakeUp wakeUp;
    private final Map<String, ModelTotals> totals = new ConcurrentHashMap<>();
    private final Subscription events;
    private final Updater updater;
    private PoolConfig config;
    private volatile Map<String, ModelSpec> names;
    private volatile boolean closed;

    PoolRunner(
            WorkerRegistry registry,
            WorkerSupervisor supervisor,
            ScheduledExecutorService scheduler,
            Executor blocking,
            EvictionPolicy policy,
            PoolConfig config) {
        this.registry = registry;
        feed = new PoolFeed(registry.clock());
        this.policy = policy;
        this.config = config;
        names = config.byName();
        passes = new SerialPasses(scheduler, registry.clock(), registry.supervision()::deferEvents, this::pass);
        pooled = new PooledWorkers(registry, supervisor, passes, this::publish);
        starter = new WorkerStarter(registry, supervisor, blocking, passes, pooled);
        plans = new PlanRunner(registry, pooled, starter, passes, this::publish);
        wakeUp = new WakeUp(scheduler, () -> {
            registry.supervision().forgetHints(); // or each thread keeps a worker of its own busy
            passes.signal();
        });
        pooled.models(config.models().stream()
                .map(model -> new PooledModel(model, totalsOf(model.modelRef())))
                .toList());
        updater = new Updater(registry, pooled, starter, this::totalsOf);
        events = registry.subscribe(this::onEvent, Runnable::run);
    }

    /** All models by name and alias. One volatile read, on the path of each request. */
    Map<String, ModelSpec> names() {
        return names;
    }

    ModelTotals totalsOf(String modelRef) {
        return totals.computeIfAbsent(modelRef, first -> new ModelTotals());
    }

    private void publish(PoolEvent event) {
        feed.publish(event);
        passes.afterwards(feed::deliver);
    }

    // What happens outside.

    private void onEvent(WorkerEvent event) {
        if (event instanceof Removed removed) {
            passes.submit(() -> removed(removed));
        } else if (event instanceof Overflowed) {
            passes.submit(this::findRemoved);
        } else if (event instanceof BecameReady || event instanceof StopStarted) {
            passes.signal();
        }
    }

    private void removed(Removed removed) {
        PooledWorker worker = pooled.worker(removed.worker().id());
        if (worker == null || !worker.spec.modelRef().equals(removed.worker().modelRef())) {
            return;
        }
        if (removed.exit().isPresent()) {
            pooled.exited(worker, removed.exit(), removed.cause());
        } else if (removed.cause() == Exit.Cause.START_FAILED) {
            boolean failed = removed.worker().state() instanceof Stopping stopping
                    && stopping.reason().isFailure();
            pooled.exited(worker, Optional.empty(), failed ? removed.cause() : Exit.Cause.REQUESTED);
        } else {
            starter.removedByHive(worker);
        }
    }

    /** Events were dropped: looks for workers that have no record any more. */
    private void findRemoved() {
        for (PooledWorker worker : List.copyOf(pooled.workers())) {
            if (!worker.isStarting()
                    && !worker.isRemoved()
                    && registry.get(worker.id).isEmpty()) {
                starter.removedByHive(worker);
            }
        }
    }

    // Passes.

    @SuppressWarnings("ReferenceEquality") // identity: whether an update has come in between
    private void pass() {
        if (closed) {
            return;
        }
        PoolConfig planned = config;
        wakeUp.at(registry.clock().instant(), AFTER_FAILURE); // replaced unless this pass fails
        PoolSnapshot snapshot = snapshot();
        Plan plan = plan(snapshot);
        if (closed || config != planned) {
            return; // by the eviction policy; after an update, another pass follows
        }
        boolean done = plans.run(plan, snapshot.now());
        starter.awaitExits();
        Optional<Duration> wakeIn = done ? plan.wakeIn() : Optional.of(SOON);
        wakeIn.ifPresentOrElse(delay -> wakeUp.at(snapshot.now(), longer(delay, SOON)), wakeUp::cancel);
    }

    /** A policy that throws must not stop the models that evict nothing. */
    private Plan plan(PoolSnapshot snapshot) {
        try {
            return Planner.plan(snapshot);
        } catch (RuntimeException failed) {
            log.warn("a plan failed; the least recently used worker is evicted first", LogText.of(failed));
            return Planner.plan(snapshot(snapshot.now(), EvictionPolicy.leastRecentlyUsed()));
        }
    }

    private PoolSnapshot snapshot() {
        return snapshot(registry.clock().instant(), policy);
    }

    private PoolSnapshot snapshot(Instant now, EvictionPolicy policy) {
        return new PoolSnapshot(
                now,
                config.devices(),
                config.maxWorkers(),
                config.maxWait(),
                config.admission(),
                policy,
                pooled.refresh(now));
    }

    // Calls of the hive, each before a pass.

    void load(String modelRef, CompletableFuture<WorkerInfo> result) {
        if (closed) {
            result.completeExceptionally(new PoolClosedException(modelRef));
            return;
        }
        PooledModel model = pooled.find(modelRef);
        if (model == null) { // removed since the call
            result.completeExceptionally(Updater.removed(modelRef));
            return;
        }
        if (!model.hasLive()) {
            model.failures.forget();
        }
        model.loads.add(new PooledModel.LoadCall(result, registry.clock().instant()));
    }

    CompletableFuture<Void> unload(String modelRef) {
        PooledModel model = pooled.find(modelRef);
        if (model == null) {
            return CompletableFuture.failedFuture(new UnknownModelException(modelRef)); // removed since the call
        }
        model.minimumSuspended = true;
        pooled.endReplacement(model, () -> new CancellationException("model " + modelRef + " has been unloaded"));
        List<CompletableFuture<Void>> gone = new ArrayList<>();
        for (PooledWorker worker : List.copyOf(model.workers)) {
            gone.add(worker.gone);
            starter.stop(worker); // also one that drains without a limit
        }
        return CompletableFuture.allOf(gone.toArray(CompletableFuture[]::new));
    }

    void pin(String modelRef, boolean pinned) {
        PooledModel model = pooled.find(modelRef);
        if (model != null) {
            model.pinned = pinned;
        }
    }

    /** Applies another config; empty if the pool has been closed. */
    Optional<UpdateReport> update(PoolConfig next) {
        if (closed) {
            return Optional.empty();
        }
        plans.configChanged();
        names = next.byName(); // first: a request that begins to wait later is for a model that is there
        UpdateReport report = updater.apply(config, next);
        config = next;
        return Optional.of(report);
    }

    List<ModelStatus> status() {
        Instant now = registry.clock().instant();
        return pooled.refresh(now).stream()
                .map(model -> ModelStatus.of(model, now))
                .toList();
    }

    PoolStats stats() {
        Instant now = registry.clock().instant();
        Map<String, PoolStats.Model> models = new LinkedHashMap<>();
        for (PooledModel model : pooled.models()) {
            Duration resident =
                    model.workers.stream().map(worker -> worker.readyFor(now)).reduce(Duration.ZERO, Duration::plus);
            models.put(model.modelRef(), model.totals.read(resident));
        }
        return new PoolStats(models);
    }

    /** Nothing is started from now on. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        plans.close();
        wakeUp.cancel();
        for (PooledModel model : pooled.models()) {
            failWaiting(model.modelRef());
            pooled.endReplacement(model, () -> new PoolClosedException(model.modelRef()));
            pooled.failLoads(model, () -> new PoolClosedException(model.modelRef()));
            List.copyOf(model.workers).forEach(starter::stop);
        }
        CompletableFuture.allOf(
                        pooled.workers().stream().map(worker -> worker.gone).toArray(CompletableFuture[]::new))
                .whenComplete((none, failure) -> {
                    events.close();
                    feed.close();
                });
    }

    void failWaiting(String modelRef) {
        registry.supervision().failWaiting(modelRef, request -> true, () -> new PoolClosedException(modelRef));
    }
}
