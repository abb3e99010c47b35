package io.github.workerregistry.pool;

import io.github.workerregistry.Incarnation;
import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.SlotUnavailableException;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.pool.Plan.Evict;
import io.github.workerregistry.pool.Plan.Refuse;
import io.github.workerregistry.pool.Plan.Start;
import io.github.workerregistry.pool.Plan.Step;
import io.github.workerregistry.pool.Plan.Stop;
import io.github.workerregistry.pool.Plan.Switch;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Executes plans, step by step. Used by the runner only. */
final class PlanRunner {

    private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

    private final WorkerRegistry registry;
    private final PooledWorkers pooled;
    private final WorkerStarter starter;
    private final SerialPasses passes;
    private final Consumer<PoolEvent> events;
    private final Set<Incarnation> watched = new HashSet<>();
    private boolean closed;
    private boolean outdated;

    PlanRunner(
            WorkerRegistry registry,
            PooledWorkers pooled,
            WorkerStarter starter,
            SerialPasses passes,
            Consumer<PoolEvent> events) {
        this.registry = registry;
        this.pooled = pooled;
        this.starter = starter;
        this.passes = passes;
        this.events = events;
    }

    /**
     * Executes a plan.
     *
     * @return whether all steps had their effect; a worker that was used meanwhile is not evicted or stopped
     */
    boolean run(Plan plan, Instant now) {
        boolean all = true;
        outdated = false;
        for (Step step : plan.steps()) {
            if (closed || outdated) {
                return all; // by a step: starts and executors are foreign code
            }
            all &= run(step, now);
        }
        plan.watched().forEach(this::watch);
        return all;
    }

    /** The config has changed: no further step of a plan that runs is executed. A pass follows. */
    void configChanged() {
        outdated = true;
    }

    /** No further step is executed, also of a plan that runs. */
    void close() {
        closed = true;
    }

    private boolean run(Step step, Instant now) {
        if (step instanceof Start start) {
            start(start, now);
        } else if (step instanceof Evict evict) {
            return evict(evict);
        } else if (step instanceof Stop stop) {
            return stop(stop);
        } else if (step instanceof Switch change) {
            change(change);
        } else if (step instanceof Refuse refuse) {
            refuse(refuse, now);
        }
        return true;
    }

    private void change(Switch change) {
        List<PooledWorker> closed = workers(change.closed());
        starter.close(closed, StopReason.REPLACED); // all of them before the first of the new ones is leased
        workers(change.opened()).forEach(starter::openDoor);
        passes.signal();
    }

    private List<PooledWorker> workers(List<WorkerSnapshot> snapshots) {
        return snapshots.stream()
                .map(snapshot -> pooled.worker(snapshot.id()))
                .filter(Objects::nonNull)
                .toList();
    }

    private void start(Start start, Instant now) {
        PooledModel model = pooled.model(start.modelRef());
        PooledWorker worker = pooled.claim(model, start.placement(), now);
        starter.start(worker); // first: the log may fail
        log.info(
                "model {}: worker {} is started on {} {}",
                model.modelRef(),
                worker.id,
                start.placement().backend(),
                start.placement().text());
        events.accept(new PoolEvent.LoadStarted(model.modelRef(), worker.id));
    }

    private boolean evict(Evict evict) {
        PooledWorker worker = pooled.worker(evict.worker().id());
        if (worker == null) {
            return true;
        }
        if (evict.reason() == EvictionReason.MAX_WAIT_BUSY) {
            starter.drain(worker, StopReason.EVICTED, pooled.specOf(worker).evictionDrainTimeout());
        } else if (!starter.endIfUnchanged(worker, evict.worker().info(), StopReason.EVICTED)) {
            return false;
        }
        log.info(
                "worker {} of model {} is evicted for model {}: {}",
                worker.id,
                worker.spec.modelRef(),
                evict.forModel(),
                evict.reason());
        pooled.model(worker.spec.modelRef()).totals.evicted(evict.reason());
        pooled.model(evict.forModel()).promised = true;
        events.accept(
                evict.reason() == EvictionReason.UNWANTED_LOAD
                        ? new PoolEvent.LoadCancelled(evict.worker().info(), evict.forModel())
                        : new PoolEvent.Evicted(evict.worker().info(), evict.forModel(), evict.reason()));
        return true;
    }

    private boolean stop(Stop stop) {
        PooledWorker worker = pooled.worker(stop.worker().id());
        return worker == null || starter.endIfUnchanged(worker, stop.worker().info(), stop.reason());
    }

    private void refuse(Refuse refuse, Instant now) {
        PooledModel model = pooled.model(refuse.modelRef());
        Optional<LoadFailure> failure = model.failures.last();
        Supplier<SlotUnavailableException> exception = () -> exception(refuse, failure, now); // on another thread
        int failed = registry.supervision()
                .failWaiting(
                        refuse.modelRef(),
                        request -> refuse.asks().stream().anyMatch(ask -> isSame(ask, request)),
                        exception);
        if (refuse.loads()) {
            failed += model.loads.size();
            pooled.failLoads(model, exception);
        }
        if (failed > 0) {
            events.accept(new PoolEvent.Refused(
                    refuse.modelRef(), failed, exception.get().getMessage()));
        }
    }

    private static SlotUnavailableException exception(Refuse refuse, Optional<LoadFailure> failure, Instant now) {
        String modelRef = refuse.modelRef();
        return switch (refuse.refusal()) {
            case LOAD_FAILED ->
                failure.<SlotUnavailableException>map(last -> new ModelLoadFailedException(modelRef, last, now))
                        .orElseGet(() -> new NoWorkerException(modelRef, "model " + modelRef + " failed to load"));
            case NO_CAPACITY ->
                new NoCapacityException(modelRef, "no room for model " + modelRef + ": " + refuse.why());
            case NO_WORKER -> new NoWorkerException(modelRef, "model " + modelRef + ": " + refuse.why());
        };
    }

    /** The same constraints; affinity and priority do not matter. */
    private static boolean isSame(SlotRequest ask, SlotRequest request) {
        return ask.backend().equals(request.backend())
                && ask.device().equals(request.device())
                && ask.labels().equals(request.labels())
                && ask.excluded().equals(request.excluded());
    }

    /** Another pass when the worker is idle. */
    private void watch(String id) {
        PooledWorker worker = pooled.worker(id);
        if (worker == null) {
            return;
        }
        Incarnation incarnation = worker.info().incarnation();
        if (watched.add(incarnation)
                && !registry.supervision()
                        .whenIdle(incarnation, () -> passes.submit(() -> watched.remove(incarnation)))) {
            watched.remove(incarnation);
        }
    }
}
