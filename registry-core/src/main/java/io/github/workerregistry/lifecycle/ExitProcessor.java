package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.IllegalTransitionException;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.internal.JdkTimer;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
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
 * Processes the exit of a worker process, once, however it was detected: records the exit, then either plans a restart
 * or releases slots, registry entry and port.
 */
final class ExitProcessor {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final PortPool ports;
    private final boolean endsWithJvm;
    private final ProcessReleaser releases;
    private final ExitRecorder recorder;
    private final ExitHistory history = new ExitHistory();
    private final Set<LateProcess> late = ConcurrentHashMap.newKeySet();

    ExitProcessor(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            PortPool ports,
            Executor blocking,
            boolean endsWithJvm) {
        this.registry = registry;
        this.workers = workers;
        this.ports = ports;
        this.endsWithJvm = endsWithJvm;
        this.releases = new ProcessReleaser(blocking);
        this.recorder = new ExitRecorder(registry, workers);
    }

    List<Exit> recent() {
        return history.list();
    }

    /** The process has exited, as reported by its future or found by a tick. */
    void onExit(SupervisedWorker worker, ExitStatus status) {
        worker.decide(() -> {
            WorkerProcess process = worker.process();
            if (process != null
                    && !worker.hasExited()
                    && !isDeferred(worker, status)
                    && !output(worker).readLast(worker.generation, process, () -> onExit(worker, status))) {
                Exit exit = recorder.of(worker, process, status);
                // first: files are removed before the exit is reported
                output(worker).afterReads(() -> releases.release(worker.name, process));
                end(worker, exit);
            }
        });
    }

    private static OutputFeed output(SupervisedWorker worker) {
        return worker.series.output();
    }

    /** Whether the exit is processed later: if a shutdown has begun by then, it is no crash. */
    private boolean isDeferred(SupervisedWorker worker, ExitStatus status) {
        if (!endsWithJvm || workers.isClosed() || worker.stop.isUnderWay() || !SharedSignal.ended(status)) {
            return false;
        }
        Instant now = registry.clock().instant();
        Instant first = worker.exitNoticed();
        if (first == null) {
            worker.exitNoticed(now);
            registry.supervision().endLeasing(worker.incarnation);
            recheckLater(worker, status);
        }
        return SharedSignal.mayFollow(first == null ? now : first, now);
    }

    /** The next tick also does this, unless the hive's scheduler is blocked. */
    private void recheckLater(SupervisedWorker worker, ExitStatus status) {
        try {
            JdkTimer.schedule(SharedSignal.DEFERRAL, () -> onExit(worker, status));
        } catch (Throwable t) { // no thread, no memory
            SafeLog.warn(log, "worker {}: its exit cannot be processed again without the scheduler", worker.name, t);
        }
    }

    /**
     * Removes a worker whose start has not begun. In the worker's serial executor.
     *
     * @return false if it has begun
     */
    boolean cancelStart(SupervisedWorker worker) {
        boolean cancelled = worker.start.cancel();
        if (cancelled) {
            end(worker, recorder.ofNoStart(worker, "it was stopped before its process was started"));
        }
        return cancelled;
    }

    /** The executor terminated before it ran the start. In the worker's serial executor. */
    void startDropped(SupervisedWorker worker) {
        if (worker.start.cancel()) {
            List<String> command = worker.launch.process().command();
            startFailed(worker, new SpawnException(command, "the executor for it has ended", null));
        }
    }

    /**
     * Removes a worker whose start does not return. If it starts a process later, that is killed. In the worker's
     * serial executor.
     */
    void abandonStart(SupervisedWorker worker) {
        if (worker.start.abandon()) {
            end(worker, recorder.ofNoStart(worker, "it was stopped while its process was being started"));
        }
    }

    /** An abandoned start has returned a process. */
    void endLate(SupervisedWorker worker, WorkerProcess process, long pid) {
        new LateProcess(
                        worker.name,
                        process,
                        pid,
                        releases,
                        late,
                        worker.rules().lifecycle().killTimeout())
                .end();
    }

    /** The process of a worker's abandoned start that still runs; empty if there is none. */
    Optional<LateProcess> late(String workerId) {
        return late.stream().filter(process -> process.isOf(workerId)).findAny();
    }

    /** Kills once more the late processes that still run. */
    void killLate() {
        late.forEach(LateProcess::kill);
    }

    /** The first process of a worker could not be started. Removes the worker, even if its record has changed. */
    void spawnFailed(SupervisedWorker worker, Throwable why) {
        worker.start.abandon();
        Optional<WorkerInfo> own = registry.get(worker.id).filter(worker::owns);
        while (own.isPresent()
                && registry.supervision().removeUnstarted(own.get()).isEmpty()) {
            own = registry.get(worker.id).filter(worker::owns); // stopped, for example
        }
        forget(worker, why);
    }

    /** The process of a restart could not be started. In the worker's serial executor. */
    void startFailed(SupervisedWorker worker, SpawnException failure) {
        worker.started.completeExceptionally(failure);
        end(worker, recorder.ofFailedStart(worker, failure));
    }

    /** Removes a worker that is backing off and has no process. In the worker's serial executor. */
    void cancelRestart(SupervisedWorker worker, StopReason reason) {
        releaseIdAndPort(worker);
        Optional<WorkerInfo> removed = registry.get(worker.id)
                .filter(worker::owns)
                .filter(own -> own.state() instanceof BackingOff)
                .flatMap(own -> registry.supervision().removeIfUnchanged(own, reason));
        removed.ifPresent(
                record -> log.info("worker {} was backing off and is not restarted: {}", worker.name, reason));
        worker.fail(
                removed.<RuntimeException>map(record -> new WorkerEndedException(((BackingOff) record.state()).exit()))
                        .orElseGet(() -> new NoSuchWorkerException(worker.id)));
    }

    /** Removes a worker that has no process and will get none. */
    void forget(SupervisedWorker worker, Throwable why) {
        releaseIdAndPort(worker);
        worker.fail(why);
        worker.gone.complete(null);
    }

    private void releaseIdAndPort(SupervisedWorker worker) {
        if (workers.remove(worker)) {
            worker.launch.port().ifPresent(ports::release);
        }
    }

    private void end(SupervisedWorker worker, Exit exit) {
        Optional<RestartHistory.Next> restart = planRestart(worker, exit);
        boolean crashLoop = restart.isEmpty() && mayRestart(worker, exit.cause());
        Exit last = crashLoop ? exit.withCause(Exit.Cause.CRASH_LOOP) : exit;
        WorkerEndedException ended = new WorkerEndedException(last);
        // first: who sees the exit in the registry finds it in the log and in the history
        guarded(() -> logExit(worker, exit, crashLoop));
        if (worker.isFirstReport()) {
            history.add(last);
        }
        boolean backsOff = restart.isPresent() && backOff(worker, last, restart.get());
        if (!backsOff) {
            remove(worker, last);
        }
        worker.markExited(); // before this point, the next tick repeats a failed attempt
        worker.ready.completeExceptionally(ended);
        worker.exit.complete(last.status());
        if (!backsOff) {
            worker.fail(ended);
        }
    }

    /** Releases the id before the record is removed, so that an observer of the removal can spawn the id again. */
    private void remove(SupervisedWorker worker, Exit last) {
        releaseIdAndPort(worker);
        try {
            registry.get(worker.id).filter(worker::owns).ifPresent(own -> remove(own, last));
        } catch (Throwable t) {
            workers.add(worker);
            throw t;
        }
    }

    /** A failing log must not prevent the processing of an exit. */
    private static void guarded(Runnable logging) {
        try {
            logging.run();
        } catch (Throwable t) {
            SafeLog.warn(log, "the log failed", t);
        }
    }

    /** A worker that was stopped before it had a process has not crashed. */
    private void remove(WorkerInfo own, Exit exit) {
        if (exit.cause() == Exit.Cause.START_FAILED && exit.status().requested()) {
            registry.supervision().removeUnstarted(own);
        } else {
            registry.supervision().remove(exit);
        }
    }

    private static void logExit(SupervisedWorker worker, Exit exit, boolean crashLoop) {
        if (crashLoop) {
            log.warn("worker {} has ended: CRASH_LOOP, the last time because of {}", worker.name, exit.describe());
        } else if (exit.cause().isFailure() && !exit.status().requested()) { // else stopFailed has warned
            log.warn("worker {} has ended: {}", worker.name, exit.describe());
        } else {
            log.info("worker {} has ended: {}, {}", worker.name, exit.cause(), exit.status());
        }
    }

    private boolean mayRestart(SupervisedWorker worker, Exit.Cause cause) {
        return !worker.isRestartForbidden() && worker.rules().restartPolicy().covers(cause);
    }

    private Optional<RestartHistory.Next> planRestart(SupervisedWorker worker, Exit exit) {
        if (worker.isRestartRequested() && !worker.isRestartForbidden()) {
            return Optional.of(RestartHistory.AT_ONCE); // an operator's restart is not counted
        }
        return mayRestart(worker, exit.cause())
                ? worker.series
                        .restarts()
                        .afterFailure(
                                exit.at(),
                                worker.readyFor(exit.at()),
                                ThreadLocalRandom.current().nextDouble())
                : Optional.empty();
    }

    /** False if the hive has removed or replaced the record, or is stopping the worker. */
    private boolean backOff(SupervisedWorker worker, Exit exit, RestartHistory.Next restart) {
        BackingOff next = new BackingOff(restart.attempt(), exit.at().plus(restart.delay()), exit);
        try {
            boolean backingOff = registry.get(worker.id)
                    .filter(worker::owns)
                    .flatMap(own -> registry.supervision().transition(own.incarnation(), next))
                    .isPresent();
            if (backingOff) {
                guarded(() -> log.info(
                        "worker {} is backing off: restart {} in {}", worker.name, restart.attempt(), restart.delay()));
            }
            return backingOff;
        } catch (IllegalTransitionException stopping) {
            return false;
        }
    }

    /** After the last exit: runs the releases that the hive's executor has not run. */
    void finishReleases() {
        releases.finish();
    }
}
