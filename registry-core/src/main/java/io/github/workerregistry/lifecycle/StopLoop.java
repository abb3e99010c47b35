package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.StopSequence.Phase;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the steps of every {@link StopSequence} that has begun where they fall due: for the caller who stops, at the
 * answer to a request, and on the tick.
 */
final class StopLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(StopLoop.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final @Nullable StopRequest request;

    StopLoop(WorkerRegistry registry, SupervisedWorkers workers, @Nullable StopRequest request) {
        this.registry = registry;
        this.workers = workers;
        this.request = request;
    }

    @Override
    public void tick(Instant now) {
        workers.all().forEach(this::advance);
    }

    /** Takes every step of the worker's stop that is due. */
    void advance(SupervisedWorker worker) {
        WorkerProcess process = worker.process();
        if (process == null || worker.hasExited() || worker.stop.phase() == Phase.RUNNING) {
            return; // a spawn in flight is ended when its process is there
        }
        WorkerInfo info = registry.get(worker.id).orElse(null);
        int openLeases = info == null ? 0 : info.slotsInUse();
        boolean canAsk = request != null && info != null;
        Phase entered;
        do {
            entered = worker.stop.next(registry.clock().instant(), openLeases, canAsk);
            if (entered != null) {
                enter(entered, worker, process, info);
            }
        } while (entered != null);
    }

    private void enter(Phase phase, SupervisedWorker worker, WorkerProcess process, @Nullable WorkerInfo info) {
        log.debug("worker {}: stop enters {}", worker.id, phase);
        switch (phase) {
            case ASKED -> {
                if (info != null) {
                    ask(info).whenComplete((willEnd, failure) -> {
                        if (failure != null || !Boolean.TRUE.equals(willEnd)) {
                            worker.stop.refuse();
                            advance(worker);
                        }
                    });
                }
            }
            case TERMINATED -> guarded(worker, "terminate", process::terminate);
            case KILLED -> guarded(worker, "kill", process::kill);
            case UNKILLABLE -> {
                long pid = process.identity().pid();
                log.warn(
                        "worker {}, pid {}, is still there after SIGKILL; it keeps its slots and its port",
                        worker.id,
                        pid);
                worker.gone.completeExceptionally(new UnkillableException(worker.id, pid));
            }
            case RUNNING, DRAINING -> throw new AssertionError(phase);
        }
    }

    /** The one guard around the host's stop request: whatever it throws counts as a no. */
    CompletionStage<Boolean> ask(WorkerInfo worker) {
        if (request == null) {
            return CompletableFuture.completedFuture(false);
        }
        try {
            CompletionStage<Boolean> answer = request.ask(worker);
            return answer != null ? answer : CompletableFuture.completedFuture(false);
        } catch (Throwable t) {
            log.warn("stop request of worker {} failed; SIGTERM follows", worker.id(), t);
            return CompletableFuture.completedFuture(false);
        }
    }

    private static void guarded(SupervisedWorker worker, String what, Runnable signal) {
        try {
            signal.run();
        } catch (Throwable t) {
            log.warn("worker {}: {} failed; the next step of its stop will follow", worker.id, what, t);
        }
    }
}
