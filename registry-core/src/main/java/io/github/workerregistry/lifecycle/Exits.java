package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.IllegalTransitionException;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.internal.JdkTimer;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
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
    private final boolean endsWithJvm;
    private final Duration killWait;
    private final Releases releases;
    private final PostMortem postMortem;
    private final ExitHistory history = new ExitHistory();
    private final Set<LateProcess> late = ConcurrentHashMap.newKeySet();

    Exits(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            PortRange ports,
            RestartPolicy policy,
            Executor blocking,
            boolean endsWithJvm,
            Duration killWait) {
        this.registry = registry;
        this.workers = workers;
        this.ports = ports;
        this.policy = policy;
        this.endsWithJvm = endsWithJvm;
        this.killWait = killWait;
        this.releases = new Releases(blocking);
        this.postMortem = new PostMortem(registry, workers);
    }

    List<Exit> recent() {
        return history.list();
    }

    /** The process has gone, says a notice or a sweep. */
    void noticed(SupervisedWorker worker, ExitStatus status) {
        worker.decide(() -> {
            WorkerProcess process = worker.process();
            if (process != null && !worker.hasExited() && !isPutOff(worker, status)) {
                Exit exit = postMortem.of(worker, process, status);
                releases.release(worker.id, process); // first: who waits for the end finds no file left
                end(worker, exit);
            }
        });
    }

    /** Whether it is to be dealt with later: by then a shutdown may have begun, and it was no crash. */
    private boolean isPutOff(SupervisedWorker worker, ExitStatus status) {
        if (!endsWithJvm || workers.isClosed() || worker.stop.isUnderWay() || !SharedSignal.ended(status)) {
            return false;
        }
        Instant now = registry.clock().instant();
        Instant first = worker.exitNoticed();
        if (first == null) {
            worker.exitNoticed(now);
            registry.endLeasing(worker.id, worker.generation);
            lookAgain(worker, status);
        }
        return SharedSignal.mayFollow(first == null ? now : first, now);
    }

    /** The next tick does so too, unless the hive's scheduler is blocked. */
    private void lookAgain(SupervisedWorker worker, ExitStatus status) {
        try {
            JdkTimer.schedule(SharedSignal.PATIENCE, () -> noticed(worker, status));
        } catch (Throwable t) { // no thread, no memory
            LastResort.warn(log, "an exit cannot be looked at again without the scheduler", t);
        }
    }

    /**
     * Ends a worker whose start has not begun, and never will now. In the worker's turn.
     *
     * @return false if it has begun
     */
    boolean cancelStart(SupervisedWorker worker) {
        boolean cancelled = worker.start.cancel();
        if (cancelled) {
            end(worker, postMortem.ofNoStart(worker, "it was stopped before its process was started"));
        }
        return cancelled;
    }

    /** The executor that was to run the start has ended. In the worker's turn. */
    void startDropped(SupervisedWorker worker) {
        if (worker.start.cancel()) {
            List<String> command = worker.launch.process().command();
            startFailed(worker, new SpawnException(command, "the executor for it has ended", null));
        }
    }

    /** Ends a worker whose start does not come to its end. A process that comes late is ended. In the worker's turn. */
    void giveUpStart(SupervisedWorker worker) {
        if (worker.start.giveUp()) {
            end(worker, postMortem.ofNoStart(worker, "it was stopped while its process was being started"));
        }
    }

    /** The start of a worker has come to its end when it had been given up. */
    void endLate(SupervisedWorker worker, WorkerProcess process, long pid) {
        new LateProcess(worker.id, process, pid, releases, late, killWait).end();
    }

    /** Kills once more what has come late and has not gone. */
    void killLate() {
        late.forEach(LateProcess::kill);
    }

    /** The first process of a worker could not be started. Nothing of it stays, whatever has become of it meanwhile. */
    void spawnFailed(SupervisedWorker worker, Throwable why) {
        worker.start.giveUp();
        Optional<WorkerInfo> own = registry.get(worker.id).filter(worker::owns);
        while (own.isPresent()
                && registry.removeIfUnchanged(own.get(), Exit.Cause.START_FAILED)
                        .isEmpty()) {
            own = registry.get(worker.id).filter(worker::owns); // stopped, for example
        }
        forget(worker, why);
    }

    /** The process of a restart could not be started. In the worker's turn. */
    void startFailed(SupervisedWorker worker, SpawnException failure) {
        worker.started.completeExceptionally(failure);
        end(worker, postMortem.ofFailedStart(worker, failure));
    }

    /** Removes a worker that backs off: there is no process to end. In the worker's turn. */
    void cancelRestart(SupervisedWorker worker, Exit.Cause reason) {
        free(worker);
        Optional<WorkerInfo> removed = registry.get(worker.id)
                .filter(worker::owns)
                .filter(own -> own.state() instanceof BackingOff)
                .flatMap(own -> registry.removeIfUnchanged(own, reason));
        removed.ifPresent(gone -> log.info("worker {} was backing off and is not restarted: {}", worker.id, reason));
        worker.giveUp(
                removed.<RuntimeException>map(gone -> new WorkerEndedException(((BackingOff) gone.state()).cause()))
                        .orElseGet(() -> new NoSuchWorkerException(worker.id)));
    }

    /** Lets go of a worker that has no process and will get none. */
    void forget(SupervisedWorker worker, Throwable why) {
        free(worker);
        worker.giveUp(why);
    }

    private void free(SupervisedWorker worker) {
        if (workers.leave(worker)) {
            worker.launch.port().ifPresent(ports::giveBack);
        }
    }

    private void end(SupervisedWorker worker, Exit exit) {
        Optional<RestartHistory.Next> restart = planRestart(worker, exit);
        boolean crashLoop = restart.isEmpty() && mayRestart(worker, exit.cause());
        Exit last = crashLoop ? exit.withCause(Exit.Cause.CRASH_LOOP) : exit;
        WorkerEndedException ended = new WorkerEndedException(last);
        // First: a call-back that finds the exit in the registry or the history finds it in the log, too.
        guarded(() -> tell(worker, exit, crashLoop));
        boolean backsOff = restart.isPresent() && backOff(worker, last, restart.get());
        if (!backsOff) {
            remove(worker, last);
        }
        worker.exited(); // from here on it is done; what failed before is done again by the next tick
        history.add(last);
        worker.ready.completeExceptionally(ended);
        worker.gone.complete(last.status());
        if (!backsOff) {
            worker.giveUp(ended);
        }
    }

    /** Its id is free before its record has gone, so that an observer of the removal can spawn it again. */
    private void remove(SupervisedWorker worker, Exit last) {
        free(worker);
        try {
            registry.get(worker.id).filter(worker::owns).ifPresent(own -> remove(own, last));
        } catch (Throwable t) {
            workers.add(worker);
            throw t;
        }
    }

    /** A log that fails must not keep an exit from being dealt with. */
    private static void guarded(Runnable logging) {
        try {
            logging.run();
        } catch (Throwable t) {
            LastResort.warn(log, "the log failed", t);
        }
    }

    /** What was stopped before it had a process has not crashed. */
    private void remove(WorkerInfo own, Exit exit) {
        if (exit.cause() == Exit.Cause.START_FAILED && exit.status().requested()) {
            registry.removeIfUnchanged(own, exit.cause());
        } else {
            registry.removeExited(exit);
        }
    }

    private static void tell(SupervisedWorker worker, Exit exit, boolean crashLoop) {
        if (crashLoop) {
            log.warn("worker {} is gone: CRASH_LOOP, the last time because of {}", worker.id, exit.describe());
        } else if (exit.cause().isFailure() && !exit.status().requested()) { // else the judge has warned
            log.warn("worker {} is gone: {}", worker.id, exit.describe());
        } else {
            log.info("worker {} is gone: {}, {}", worker.id, exit.cause(), exit.status());
        }
    }

    private boolean mayRestart(SupervisedWorker worker, Exit.Cause cause) {
        return !worker.isDismissed() && policy.covers(cause);
    }

    private Optional<RestartHistory.Next> planRestart(SupervisedWorker worker, Exit exit) {
        if (worker.isRestartWanted() && !worker.isDismissed()) {
            return Optional.of(RestartHistory.AT_ONCE); // an operator's restart is not counted
        }
        return mayRestart(worker, exit.cause())
                ? worker.lineage
                        .restarts()
                        .afterFailure(
                                exit.at(),
                                worker.readyFor(exit.at()),
                                ThreadLocalRandom.current().nextDouble())
                : Optional.empty();
    }

    /**
     * False if the host has taken the record away or put another in its place, or wants this worker to end for good.
     */
    private boolean backOff(SupervisedWorker worker, Exit exit, RestartHistory.Next restart) {
        BackingOff next = new BackingOff(restart.attempt(), exit.at().plus(restart.delay()), exit);
        try {
            boolean backingOff = registry.get(worker.id)
                    .filter(worker::owns)
                    .flatMap(own -> registry.updateStateOf(own, next))
                    .isPresent();
            if (backingOff) {
                guarded(() -> log.info(
                        "worker {} is backing off: restart {} in {}", worker.id, restart.attempt(), restart.delay()));
            }
            return backingOff;
        } catch (IllegalTransitionException endingForGood) {
            return false;
        }
    }

    /** All workers have gone: what the hive's executor has not done yet is done here. */
    void finishReleases() {
        releases.finish();
    }
}
