package io.github.workerregistry.lifecycle;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.Exit;
import io.github.workerregistry.LogText;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.lifecycle.ProcessStarter.Started;
import io.github.workerregistry.process.SpawnException;
import java.time.Instant;
import java.util.OptionalInt;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts workers: port, record, process, pid, in this order, and all or nothing.
 *
 * <p>The record comes before the process, so that a worker that calls back at once is known.
 */
final class Spawner {

    private static final Logger log = LoggerFactory.getLogger(Spawner.class);

    static final int FIRST_GENERATION = 1;

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final ProcessStarter starter;
    private final PortRange ports;
    private final RestartPolicy policy;
    private final Supplier<StopSequence> stopSequences;
    private final StopLoop stops;
    private final Exits exits;
    private final Readiness readiness;
    private final LoopRunner runner;
    private final Executor blocking;
    private final WorkerIds ids = new WorkerIds();

    Spawner(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            ProcessStarter starter,
            PortRange ports,
            RestartPolicy policy,
            Supplier<StopSequence> stopSequences,
            StopLoop stops,
            Exits exits,
            Readiness readiness,
            LoopRunner runner,
            Executor blocking) {
        this.registry = registry;
        this.workers = workers;
        this.starter = starter;
        this.ports = ports;
        this.policy = policy;
        this.stopSequences = stopSequences;
        this.stops = stops;
        this.exits = exits;
        this.readiness = readiness;
        this.runner = runner;
        this.blocking = blocking;
    }

    WorkerInfo spawn(WorkerSpec spec) {
        if (spec.id().isPresent()) {
            return spawn(spec, spec.id().get());
        }
        while (true) {
            String id = ids.next(spec.modelRef());
            if (registry.get(id).isEmpty() && workers.get(id) == null) {
                try {
                    return spawn(spec, id);
                } catch (DuplicateWorkerException e) {
                    log.debug("id {} was taken at the same moment; the next one is tried", id);
                }
            }
        }
    }

    private WorkerInfo spawn(WorkerSpec spec, String id) {
        requireOpen();
        OptionalInt port = Placeholders.needPort(spec) ? OptionalInt.of(ports.take()) : OptionalInt.empty();
        SupervisedWorker worker;
        WorkerInfo record;
        try {
            Launch launch = Launch.of(spec, id, FIRST_GENERATION, port);
            record = record(spec, id, launch.url());
            Lineage lineage = new Lineage(id, spec, new RestartHistory(policy), new Turns(registry));
            worker = new SupervisedWorker(lineage, FIRST_GENERATION, launch, record.startedAt(), stopSequences.get());
            if (!workers.add(worker)) {
                throw new DuplicateWorkerException(id);
            }
        } catch (Throwable t) {
            port.ifPresent(ports::giveBack);
            throw t;
        }
        register(worker, record);
        return start(worker, record);
    }

    private void register(SupervisedWorker worker, WorkerInfo record) {
        try {
            requireOpen(); // a shutdown that did not see this worker had closed the gate before
            registry.register(record);
        } catch (Throwable t) {
            worker.start.giveUp();
            exits.forget(worker, t);
            throw t;
        }
    }

    /** The worker is known by now, and may be stopped before its process is there. */
    private WorkerInfo start(SupervisedWorker worker, WorkerInfo record) {
        try {
            if (!worker.start.begin()) {
                requireOpen(); // a shutdown that saw this worker has refused it
                throw givenUp(worker);
            }
            Started process = starter.start(worker);
            if (!follow(worker, process, record)) {
                throw givenUp(worker);
            }
            return worker.started.isCompletedExceptionally()
                    ? record
                    : worker.started.getNow(
                            record.toBuilder().pid(process.pid()).build());
        } catch (Throwable t) {
            exits.spawnFailed(worker, t);
            throw t;
        }
    }

    private static SpawnException givenUp(SupervisedWorker worker) {
        return new SpawnException(
                worker.launch.process().command(), "the worker was stopped before its process was there", null);
    }

    private WorkerInfo record(WorkerSpec spec, String id, String url) {
        Instant now = registry.clock().instant();
        return WorkerInfo.builder()
                .id(id)
                .url(url)
                .modelRef(spec.modelRef())
                .backend(spec.backend())
                .device(spec.device())
                .slotsTotal(spec.slots())
                .generation(FIRST_GENERATION)
                .state(new Loading(now))
                .startedAt(now)
                .build();
    }

    /**
     * Begins the next generation of a worker that backs off, on its port, or on another one if that is taken. The start
     * itself may block, and runs on the executor for that. In the worker's turn.
     *
     * @param worker the generation that has ended
     * @param seen its record, BackingOff
     */
    void respawn(SupervisedWorker worker, WorkerInfo seen) {
        if (workers.isClosed()) {
            exits.cancelRestart(worker, Exit.Cause.SHUTDOWN);
            return;
        }
        Instant now = registry.clock().instant();
        Launch launch = nextLaunch(worker);
        WorkerInfo record = registry.restartIfUnchanged(seen, new Loading(now), launch.url())
                .orElse(null);
        if (record == null) {
            giveBackUnlessIn(worker.launch, launch);
            return; // the host changed it just now; the next tick looks again
        }
        if (!launch.port().equals(worker.launch.port())) {
            log.info(
                    "worker {}: port {} is in use by another process; it gets port {}",
                    worker.id,
                    worker.launch.port().getAsInt(),
                    launch.port().getAsInt());
        }
        giveBackUnlessIn(launch, worker.launch);
        SupervisedWorker next = worker.next(launch, now, stopSequences.get());
        workers.replace(worker, next);
        Stages.relay(next.started, worker.successor);
        CallBacks.run(() -> handOver(next, record)); // an executor may run it on this very thread
    }

    private void handOver(SupervisedWorker next, WorkerInfo record) {
        try {
            blocking.execute(() -> startNext(next, record));
        } catch (Throwable t) {
            next.decide(() -> refused(next, t));
        }
    }

    private void refused(SupervisedWorker next, Throwable why) {
        if (next.start.cancel()) { // else it has been run all the same
            String reason = "the executor for it refuses: " + LogText.describe(why);
            exits.startFailed(next, new SpawnException(next.launch.process().command(), reason, why));
        } else {
            log.warn("worker {}: the executor that started it failed", next.id, LogText.of(why));
        }
    }

    /** Whether the executor for starts will run none of those that it was given. */
    boolean hasExecutorEnded() {
        return blocking instanceof ExecutorService executor && executor.isTerminated();
    }

    private Launch nextLaunch(SupervisedWorker worker) {
        WorkerSpec spec = worker.lineage.spec();
        OptionalInt last = worker.launch.port();
        OptionalInt port =
                last.isPresent() && !spec.listenerOutsideTree() ? OptionalInt.of(ports.next(last.getAsInt())) : last;
        return Launch.of(spec, worker.id, worker.generation + 1, port);
    }

    private void giveBackUnlessIn(Launch used, Launch unused) {
        if (!unused.port().equals(used.port())) {
            unused.port().ifPresent(ports::giveBack);
        }
    }

    private void startNext(SupervisedWorker next, WorkerInfo record) {
        if (!next.start.begin()) {
            return; // it has been given up, or run before
        }
        try {
            follow(next, starter.start(next), record);
        } catch (Throwable t) {
            SpawnException failure = asSpawnException(next, t);
            next.decide(() -> {
                if (next.start.end()) {
                    exits.startFailed(next, failure);
                }
            });
        }
    }

    private static SpawnException asSpawnException(SupervisedWorker worker, Throwable t) {
        return t instanceof SpawnException e
                ? e
                : new SpawnException(worker.launch.process().command(), LogText.describe(t), t);
    }

    /**
     * From here on the process is there, and its end is the end of the worker.
     *
     * @return false if the worker was given up meanwhile; then the process is ended
     */
    private boolean follow(SupervisedWorker worker, Started start, WorkerInfo record) {
        if (!worker.start.end()) {
            exits.endLate(worker, start.process(), start.pid());
            return false;
        }
        try {
            worker.decide(() -> {
                attach(worker, start, record);
                stops.catchUp(worker);
                start.onExit()
                        .thenAccept(status -> exits.noticed(worker, status)); // last: should it fail, a tick will see
            });
        } catch (Throwable t) { // no memory
            if (worker.process() == null) {
                exits.endLate(worker, start.process(), start.pid());
            }
            throw t;
        }
        return true;
    }

    private void attach(SupervisedWorker worker, Started start, WorkerInfo record) {
        WorkerInfo running = record.toBuilder().pid(start.pid()).build();
        try {
            running = registry.get(worker.id)
                    .filter(worker::owns)
                    .flatMap(own -> registry.setPid(worker.id, worker.generation, start.pid()))
                    .orElse(running);
        } finally {
            worker.attach(start.process(), start.pid()); // whatever fails, the process is known
        }
        log.info(
                "worker {} is loading {}, pid {}",
                worker.id,
                worker.lineage.spec().modelRef(),
                start.pid());
        worker.started.complete(readiness.started(worker, running));
    }

    private void requireOpen() {
        if (workers.isClosed()) {
            throw new IllegalStateException("the supervisor is shutting down; it starts no more workers");
        }
        if (runner.hasSchedulerShutDown()) {
            throw new IllegalStateException("the scheduler has been shut down; a worker would not be supervised");
        }
    }
}
