package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.IllegalTransitionException;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What follows from the end of a process, once, whoever noticed it: a record of the exit, and then either a restart to
 * come, or slots, registry entry and port freed.
 */
final class Exits {

    private static final Logger log = LoggerFactory.getLogger(Exits.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final PortRange ports;
    private final RestartPolicy policy;
    private final Executor blocking;
    private final PostMortem postMortem;
    private final ExitHistory history = new ExitHistory();

    Exits(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            PortRange ports,
            RestartPolicy policy,
            Executor blocking) {
        this.registry = registry;
        this.workers = workers;
        this.ports = ports;
        this.policy = policy;
        this.blocking = blocking;
        this.postMortem = new PostMortem(registry);
    }

    List<Exit> recent() {
        return history.list();
    }

    /** The process has gone. */
    void exited(SupervisedWorker worker, ExitStatus status) {
        WorkerProcess process = worker.process();
        if (process == null || !worker.markExited()) {
            return;
        }
        Exit exit = postMortem.of(worker, process, status);
        restartOrRemove(worker, exit);
        worker.gone.complete(exit.status());
        release(worker, process);
    }

    /** The process of a restart could not be started. */
    void startFailed(SupervisedWorker worker, SpawnException failure) {
        if (!worker.markExited()) {
            return;
        }
        restartOrRemove(worker, postMortem.ofFailedStart(worker, failure));
        worker.gone.completeExceptionally(failure);
    }

    /** Frees what a worker holds that has no process and will get none. */
    void forget(SupervisedWorker worker) {
        if (workers.remove(worker)) {
            worker.port.ifPresent(ports::giveBack);
        }
    }

    private void restartOrRemove(SupervisedWorker worker, Exit exit) {
        Optional<RestartHistory.Next> restart = planRestart(worker, exit);
        boolean crashLoop = restart.isEmpty() && mayRestart(worker, exit.cause());
        Exit last = crashLoop ? exit.withCause(Exit.Cause.CRASH_LOOP) : exit;
        history.add(last);
        boolean judgeHasWarned = !crashLoop && last.status().requested();
        if (last.cause().isFailure() && !judgeHasWarned) {
            log.warn("worker {} is gone: {}, {}", worker.id, last.cause(), last.status());
        } else {
            log.info("worker {} is gone: {}, {}", worker.id, last.cause(), last.status());
        }
        worker.ready.completeExceptionally(new WorkerEndedException(last));
        if (restart.isEmpty() || !backOff(worker, last, restart.get())) {
            remove(worker, last);
        }
    }

    private void remove(SupervisedWorker worker, Exit exit) {
        if (registry.get(worker.id).filter(worker::owns).isPresent()) {
            registry.remove(exit);
        }
        forget(worker);
        worker.successor.completeExceptionally(new WorkerEndedException(exit));
    }

    private boolean mayRestart(SupervisedWorker worker, Exit.Cause cause) {
        return !worker.isDismissed() && policy.covers(cause);
    }

    private Optional<RestartHistory.Next> planRestart(SupervisedWorker worker, Exit exit) {
        if (exit.cause() == Exit.Cause.RESTART && !worker.isDismissed()) {
            return Optional.of(RestartHistory.AT_ONCE); // an operator's restart is not counted
        }
        return mayRestart(worker, exit.cause())
                ? worker.restarts.afterFailure(
                        exit.at(),
                        worker.readyFor(exit.at()),
                        ThreadLocalRandom.current().nextDouble())
                : Optional.empty();
    }

    private boolean backOff(SupervisedWorker worker, Exit exit, RestartHistory.Next restart) {
        Instant retryAt = exit.at().plus(restart.delay());
        try {
            boolean backingOff = registry.updateState(worker.id, new BackingOff(restart.attempt(), retryAt, exit))
                    .isPresent();
            if (backingOff) {
                log.info("worker {} is backing off: restart {} in {}", worker.id, restart.attempt(), restart.delay());
            }
            return backingOff;
        } catch (IllegalTransitionException stoppedMeanwhile) {
            return false;
        }
    }

    private void release(SupervisedWorker worker, WorkerProcess process) {
        Runnable release = () -> {
            try {
                process.release();
            } catch (Throwable t) {
                log.warn("worker {}: its files cannot be removed", worker.id, t);
            }
        };
        try {
            blocking.execute(release);
        } catch (RejectedExecutionException closed) {
            release.run();
        }
    }
}
