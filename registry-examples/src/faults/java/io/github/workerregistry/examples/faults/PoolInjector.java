package io.github.workerregistry.examples.faults;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.pool.UpdateReport;
import io.github.workerregistry.pool.WorkerPool;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.function.Predicate;

/**
 * Injects faults into the workers of the model pool, and updates its config, in rounds of a random order. Thread-safe.
 */
final class PoolInjector implements Runnable {

    private static final List<FaultKind> ROUND = List.of(
            FaultKind.MODEL_KILL,
            FaultKind.MODEL_KILL,
            FaultKind.MODEL_HANG,
            FaultKind.MODEL_FAILING,
            FaultKind.MODEL_UPDATE,
            FaultKind.MODEL_UPDATE);

    private final WorkerRegistry registry;
    private final WorkerPool pool;
    private final PoolModels models;
    private final PoolJudge judge;
    private final Random random;
    private final Deque<FaultKind> round = new ArrayDeque<>();
    private final Set<FaultKind> missing = EnumSet.copyOf(ROUND);
    private final Set<String> failing = new HashSet<>();
    private boolean stopped;
    private int surges;
    private int inPlace;

    PoolInjector(WorkerRegistry registry, WorkerPool pool, PoolModels models, PoolJudge judge, long seed) {
        this.registry = registry;
        this.pool = pool;
        this.models = models;
        this.judge = judge;
        this.random = new Random(seed);
    }

    /** Injects the next fault. If that is not possible now, it is put back, last. */
    @Override
    public synchronized void run() {
        if (stopped) {
            return;
        }
        if (round.isEmpty()) {
            List<FaultKind> shuffled = new ArrayList<>(ROUND);
            Collections.shuffle(shuffled, random);
            round.addAll(shuffled);
        }
        loadAgain();
        FaultKind kind = round.remove();
        if (inject(kind)) {
            missing.remove(kind);
        } else {
            round.add(kind);
        }
    }

    synchronized boolean everyKindHasCome() {
        return missing.isEmpty();
    }

    /** Number of replacements beside the old workers. */
    synchronized int surges() {
        return surges;
    }

    /** Number of replacements in the place of the old workers. */
    synchronized int inPlace() {
        return inPlace;
    }

    private boolean inject(FaultKind kind) {
        return switch (kind) {
            case MODEL_KILL -> hit(kind, worker -> isReady(worker) || worker.state() instanceof Loading, Victim::kill);
            case MODEL_HANG -> hit(kind, PoolInjector::isReady, Victim::pause);
            case MODEL_FAILING -> failLoads();
            case MODEL_UPDATE -> update();
            default -> throw new AssertionError(kind);
        };
    }

    private static boolean isReady(WorkerInfo worker) {
        return worker.state().routable();
    }

    private boolean hit(FaultKind kind, Predicate<WorkerInfo> wanted, Predicate<Victim> deed) {
        Optional<WorkerInfo> worker =
                any(registry.list().stream().filter(wanted).toList());
        Optional<Victim> victim = worker.flatMap(Victim::of);
        Optional<Fault> fault = victim.flatMap(there -> judge.hit(kind, worker.orElseThrow()));
        boolean done = fault.isPresent() && deed.test(victim.orElseThrow());
        if (fault.isPresent() && !done) {
            judge.withdraw(fault.get());
        }
        return done;
    }

    /** Of a model that is not loaded, so that the next request meets the fault. */
    private boolean failLoads() {
        Optional<String> unloaded = any(PoolModels.NAMES.stream()
                .filter(model ->
                        !failing.contains(model) && registry.list(model).isEmpty())
                .toList());
        unloaded.ifPresent(model -> {
            failing.add(model);
            judge.failing(model);
            models.failLoads(model, true);
        });
        return unloaded.isPresent();
    }

    /** Undoes it some time after a load has failed. */
    private void loadAgain() {
        for (String model : List.copyOf(failing)) {
            if (judge.hasFailed(model) && random.nextInt(3) == 0) {
                loadAgain(model);
            }
        }
    }

    private void loadAgain(String model) {
        models.failLoads(model, false);
        judge.failingNoMore(model);
        failing.remove(model);
    }

    /** Injects no more; all models load again. */
    synchronized void stop() {
        stopped = true;
        List.copyOf(failing).forEach(this::loadAgain);
    }

    /** With another command of a model that is loaded. */
    private boolean update() {
        Optional<String> loaded = any(PoolModels.NAMES.stream()
                .filter(model -> registry.list(model).stream().anyMatch(PoolInjector::isReady))
                .toList());
        loaded.ifPresent(model -> {
            Fault fault = judge.begin(FaultKind.MODEL_UPDATE, model);
            UpdateReport update = pool.update(models.revise(model));
            surges += update.surge().size();
            inPlace += update.inPlace().size();
            update.completion().whenComplete((done, failure) -> {
                if (failure == null) {
                    judge.succeeded(fault);
                } else {
                    judge.failed(fault, failure instanceof CompletionException ? failure.getCause() : failure);
                }
            });
        });
        return loaded.isPresent();
    }

    private <T> Optional<T> any(List<T> candidates) {
        return candidates.isEmpty() ? Optional.empty() : Optional.of(candidates.get(random.nextInt(candidates.size())));
    }
}
