package io.github.workerregistry.pool;

import io.github.workerregistry.StopReason;
import io.github.workerregistry.pool.Plan.Step;
import io.github.workerregistry.pool.Plan.Stop;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Stops workers that are not needed: beyond {@code maxWorkers}, and idle for too long. For one pass. */
final class ScaleDown {

    private final List<ModelSnapshot> models;
    private final Set<String> taken;
    private final List<Step> steps;
    private final Set<String> watched;
    private final Consumer<Duration> wake;

    ScaleDown(
            List<ModelSnapshot> models,
            Set<String> taken,
            List<Step> steps,
            Set<String> watched,
            Consumer<Duration> wake) {
        this.models = models;
        this.taken = taken;
        this.steps = steps;
        this.watched = watched;
        this.wake = wake;
    }

    void plan() {
        for (ModelSnapshot model : models) {
            if (model.workers().isEmpty()) {
                continue;
            }
            List<WorkerSnapshot> live = model.workers().stream()
                    .filter(worker -> worker.isLive() && !taken.contains(worker.id()))
                    .toList();
            int stopped = stopSurplus(model, live.stream().filter(model::counts).toList());
            if (stopped == 0 && !model.pinned()) {
                stopIdle(model, live);
            }
        }
    }

    /** Those that load and that no request waits for first, then idle ones; busy ones when they are idle. */
    private int stopSurplus(ModelSnapshot model, List<WorkerSnapshot> live) {
        int surplus = live.size() - model.spec().maxWorkers();
        if (surplus <= 0) {
            return 0;
        }
        List<WorkerSnapshot> inOrder = live.stream()
                .sorted(Comparator.<WorkerSnapshot>comparingInt(worker -> rank(model, worker))
                        .thenComparing(WorkerSnapshot::idle, Comparator.reverseOrder()))
                .toList();
        int stopped = 0;
        for (WorkerSnapshot worker : inOrder.subList(0, surplus)) {
            if (worker.isBusy()) {
                watched.add(worker.id());
            } else {
                steps.add(new Stop(worker, StopReason.REQUESTED));
                stopped++;
            }
        }
        return stopped;
    }

    private static int rank(ModelSnapshot model, WorkerSnapshot worker) {
        if (worker.isLoading()) {
            return model.demand().exists() ? 2 : 0;
        }
        return worker.isIdle() ? 1 : 3;
    }

    private void stopIdle(ModelSnapshot model, List<WorkerSnapshot> live) {
        Duration timeout = model.idleTimeout().orElse(null);
        long mayStop = live.stream().filter(worker -> !worker.held()).count() - model.minimum();
        if (timeout == null || mayStop <= 0) {
            return;
        }
        List<WorkerSnapshot> idle = live.stream()
                .filter(worker -> worker.isIdle() && !model.isWaitedFor(worker))
                .sorted(Comparator.comparing(WorkerSnapshot::idle).reversed())
                .limit(mayStop)
                .toList();
        for (WorkerSnapshot worker : idle) {
            if (worker.idle().compareTo(timeout) >= 0) {
                steps.add(new Stop(worker, StopReason.IDLE_TIMEOUT));
            } else {
                wake.accept(timeout.minus(worker.idle()));
            }
        }
        if (live.stream().anyMatch(WorkerSnapshot::isBusy)) {
            wake.accept(timeout); // it may be idle by then
        }
    }
}
