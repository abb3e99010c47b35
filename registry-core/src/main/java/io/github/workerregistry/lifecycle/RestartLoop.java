package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Starts the next generation of workers whose wait is over, or at an operator's request. */
final class RestartLoop implements Tick {

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Spawner spawner;
    private final Stopper stopper;
    private final ExitProcessor exits;

    RestartLoop(
            WorkerRegistry registry, SupervisedWorkers workers, Spawner spawner, Stopper stopper, ExitProcessor exits) {
        this.registry = registry;
        this.workers = workers;
        this.spawner = spawner;
        this.stopper = stopper;
        this.exits = exits;
    }

    @Override
    public void tick(Instant now) {
        for (SupervisedWorker worker : workers.all()) {
            if (worker.hasExited()) {
                worker.decide(() -> restartIfDue(worker, now));
            }
        }
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    private void restartIfDue(SupervisedWorker worker, Instant now) {
        if (workers.get(worker.id) != worker) {
            return; // replaced or removed meanwhile
        }
        WorkerInfo seen = registry.get(worker.id).filter(worker::owns).orElse(null);
        if (seen == null) { // the hive removed the record during the backoff
            exits.forget(worker, new NoSuchWorkerException(worker.id));
        } else if (seen.state() instanceof BackingOff backingOff && !now.isBefore(backingOff.retryAt())) {
            spawner.respawn(worker, seen);
        }
    }

    /** An operator's restart. Completes with the next generation, or with that which is being started already. */
    CompletableFuture<WorkerInfo> restart(String id) {
        CompletableFuture<WorkerInfo> restarted = new CompletableFuture<>();
        stopper.decide(id, restarted, worker -> {
            if (worker.process() == null && !worker.hasExited()) {
                relayStart(worker, restarted);
                return;
            }
            if (worker.isReplacing()) {
                restarted.completeExceptionally(new IllegalStateException(
                        "worker " + id + " is to replace another one and cannot be restarted before it is ready"));
                return;
            }
            worker.requestRestart();
            beginNext(worker, stopper::stopForRestart);
            HiveFutures.relay(worker.successor, restarted); // last: one that was unkillable has a new one now
        });
        return restarted;
    }

    /** The start that is under way; or, if it is abandoned, the next one. */
    private static void relayStart(SupervisedWorker worker, CompletableFuture<WorkerInfo> restarted) {
        CompletableFuture.anyOf(worker.started, worker.exit)
                .whenComplete((none, failure) ->
                        HiveFutures.relay(worker.started.isDone() ? worker.started : worker.successor, restarted));
    }

    /**
     * Begins the next generation of a worker for which one is requested, after a stop if its process runs. In the
     * worker's serial executor.
     */
    void beginNext(SupervisedWorker worker, Consumer<SupervisedWorker> stop) {
        WorkerInfo own = registry.get(worker.id).filter(worker::owns).orElse(null);
        if (!worker.hasExited()) {
            stop.accept(worker);
        } else if (own != null) {
            spawner.respawn(worker, own);
        } else {
            exits.forget(worker, new NoSuchWorkerException(worker.id));
        }
    }
}
