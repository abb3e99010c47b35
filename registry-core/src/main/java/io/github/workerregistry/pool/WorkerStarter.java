package io.github.workerregistry.pool;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.IllegalTransitionException;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts and ends workers of the pool through the supervisor. Starts run on the blocking executor. Used by the runner
 * only.
 */
final class WorkerStarter {

    private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

    private final WorkerRegistry registry;
    private final WorkerSupervisor supervisor;
    private final Executor blocking;
    private final SerialPasses passes;
    private final PooledWorkers pooled;

    WorkerStarter(
            WorkerRegistry registry,
            WorkerSupervisor supervisor,
            Executor blocking,
            SerialPasses passes,
            PooledWorkers pooled) {
        this.registry = registry;
        this.supervisor = supervisor;
        this.blocking = blocking;
        this.passes = passes;
        this.pooled = pooled;
    }

    /** Starts the process of a worker that has claimed its room. The pool applies restart policy and idle timeout. */
    void start(PooledWorker worker) {
        WorkerSpec spec = worker.spec
                .workerOn(worker.placement)
                .id(worker.id)
                .lifecycle(pooled.lifecycleOf(worker.spec).toBuilder()
                        .noIdleTimeout()
                        .build())
                .restartPolicy(RestartPolicy.never())
                .build();
        try {
            blocking.execute(() -> spawn(worker, spec));
        } catch (Throwable refused) {
            passes.submit(() -> returned(worker, refused));
        }
    }

    private void spawn(PooledWorker worker, WorkerSpec spec) {
        try {
            if (worker.isEnding()) {
                throw new CancellationException("it was ended before its start");
            }
            WorkerInfo started = supervisor.access().spawnHeld(spec); // it may have been ended before it was registered
            if (!worker.isHeld() && !worker.isEnding()) {
                registry.supervision().beginLeasing(started.incarnation());
            }
            passes.submit(() -> {
                pooled.startReturned(worker, null, true);
                StopReason reason = worker.endReason();
                if (reason != null && !worker.isRemoved()) {
                    stop(worker, reason, Optional.empty()); // it was ended before it was registered
                }
            });
        } catch (DuplicateWorkerException other) {
            passes.submit(() -> returned(worker, other));
        } catch (Throwable t) { // a process may have come too late, and is being killed
            awaitExit(worker).thenRun(() -> passes.submit(() -> returned(worker, t)));
        }
    }

    private void returned(PooledWorker worker, Throwable failure) {
        boolean counts = !(failure instanceof DuplicateWorkerException); // then the next pass takes another id
        if (counts && !worker.isEnding()) {
            log.info("worker {} of model {} could not be started", worker.id, worker.spec.modelRef());
        }
        pooled.startReturned(worker, failure, counts);
    }

    /**
     * Ends a worker that is idle or loading, unless it has been used or has changed since it was read: one
     * compare-and-set decides against a lease.
     */
    boolean endIfUnchanged(PooledWorker worker, WorkerInfo seen, StopReason reason) {
        if (seen.state() instanceof BackingOff) { // the hive restarts it; it has no leases
            drain(worker, reason, Optional.empty());
            return true;
        }
        boolean unregistered = worker.isStarting() && registry.get(worker.id).isEmpty();
        boolean ends = unregistered || supervisor.stopIfUnchanged(seen, reason);
        if (ends) {
            worker.end(reason);
        }
        return ends;
    }

    /** Closes a worker to new leases, lets its open leases run to their end, and stops it. */
    void drain(PooledWorker worker, StopReason reason, Optional<Duration> limit) {
        closeDoor(worker, reason);
        stop(worker, reason, limit);
    }

    /** Closes workers to new leases before this returns, lets their open leases run to their end, and stops them. */
    void close(List<PooledWorker> workers, StopReason reason) {
        workers.forEach(worker -> closeDoor(worker, reason));
        workers.forEach(worker -> {
            drain(worker, reason, Optional.empty());
            log.info("worker {} of model {} gets no new leases: {}", worker.id, worker.spec.modelRef(), reason);
        });
    }

    /** No slot is leased from now on. The supervisor may still be busy with another decision about the worker. */
    private void closeDoor(PooledWorker worker, StopReason reason) {
        worker.end(reason);
        registry.get(worker.id).ifPresent(record -> {
            try {
                registry.supervision().transition(record.incarnation(), new Stopping(reason));
            } catch (IllegalTransitionException closed) { // it is stopping, or backing off
                log.debug("worker {} is closed already", worker.id);
            }
        });
    }

    /** Leases slots of a worker that was held. */
    void openDoor(PooledWorker worker) {
        worker.opened();
        if (registry.supervision().beginLeasing(worker.info().incarnation())) {
            log.info("worker {} serves the present revision of model {}", worker.id, worker.spec.modelRef());
        }
    }

    /** Stops a worker as an operator does: it may drain for its drain timeout. */
    void stop(PooledWorker worker) {
        worker.end(StopReason.REQUESTED);
        supervisor.stop(worker.id);
    }

    private void stop(PooledWorker worker, StopReason reason, Optional<Duration> limit) {
        supervisor.stop(worker.id, reason, limit);
    }

    /** The hive has removed the record: the claim ends when the process has exited. */
    void removedByHive(PooledWorker worker) {
        worker.end(StopReason.REQUESTED);
        awaitExit(worker)
                .thenRun(() ->
                        passes.submit(() -> pooled.exited(worker, Optional.empty(), StopReason.REQUESTED.cause())));
        var unused = supervisor.forceKill(worker.id);
    }

    /** Of the workers that end, the pool is told if one cannot be killed. */
    void awaitExits() {
        for (PooledWorker worker : pooled.workers()) {
            if (worker.awaitExit()) {
                var unused = awaitExit(worker); // an exit is an event of the registry
            }
        }
    }

    private CompletionStage<Void> awaitExit(PooledWorker worker) {
        return supervisor.access().whenExited(worker.id, () -> passes.submit(() -> pooled.survivedKill(worker)));
    }
}
