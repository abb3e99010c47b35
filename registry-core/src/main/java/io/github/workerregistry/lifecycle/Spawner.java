package io.github.workerregistry.lifecycle;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.lifecycle.ProcessStarter.Started;
import io.github.workerregistry.process.SpawnException;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts workers: acquires the port, registers the record, starts the process, records the pid; on a failure it undoes
 * all of them.
 *
 * <p>The record is registered before the process is started, so that a worker may call back at once.
 */
final class Spawner {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    static final int FIRST_GENERATION = 1;

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final ProcessStarter starter;
    private final PortPool ports;
    private final Function<WorkerRules, StopSequence> stopSequences;
    private final StopLoop stops;
    private final ExitProcessor exits;
    private final Readiness readiness;
    private final LoopRunner runner;
    private final Executor blocking;
    private final WorkerIds ids = new WorkerIds();

    Spawner(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            ProcessStarter starter,
            PortPool ports,
            Function<WorkerRules, StopSequence> stopSequences,
            StopLoop stops,
            ExitProcessor exits,
            Readiness readiness,
            LoopRunner runner,
            Executor blocking) {
        this.registry = registry;
        this.workers = workers;
        this.starter = starter;
        this.ports = ports;
        this.stopSequences = stopSequences;
        this.stops = stops;
        this.exits = exits;
        this.readiness = readiness;
        this.runner = runner;
        this.blocking = blocking;
    }

    WorkerInfo spawn(WorkerSpec spec) {
        return spawn(spec, worker -> {});
    }

    /** Spawns a worker of which no slot is leased before {@code Supervision.beginLeasing}. */
    WorkerInfo spawnHeld(WorkerSpec spec) {
        return spawn(spec, worker -> {}, true);
    }

    /**
     * Spawns a worker.
     *
     * @param prepare called with the worker before its record is registered
     */
    WorkerInfo spawn(WorkerSpec spec, Consumer<SupervisedWorker> prepare) {
        return spawn(spec, prepare, false);
    }

    private WorkerInfo spawn(WorkerSpec spec, Consumer<SupervisedWorker> prepare, boolean held) {
        if (spec.id().isPresent()) {
            return spawn(spec, spec.id().get(), prepare, held);
        }
        while (true) {
            String id = newId(spec.modelRef());
            try {
                return spawn(spec, id, prepare, held);
            } catch (DuplicateWorkerException e) {
                log.debug("id {} was registered concurrently; trying the next one", id);
            }
        }
    }

    /** An id that is free now, and that was not generated before. */
    String newId(String modelRef) {
        while (true) {
            String id = ids.next(modelRef);
            if (registry.get(id).isEmpty() && workers.get(id) == null) {
                return id;
            }
        }
    }

    private WorkerInfo spawn(WorkerSpec spec, String id, Consumer<SupervisedWorker> prepare, boolean held) {
        requireOpen();
        OptionalInt port = Placeholders.needPort(spec) ? OptionalInt.of(ports.acquire()) : OptionalInt.empty();
        SupervisedWorker worker;
        WorkerInfo record;
        try {
            Launch launch = Launch.of(spec, id, FIRST_GENERATION, port);
            record = record(spec, id, launch.url());
            WorkerSeries series = series(
                    id, spec, new SerialExecutor(registry), new OutputFeed(WorkerName.of(record), registry, blocking));
            worker = new SupervisedWorker(
                    series, FIRST_GENERATION, launch, record.startedAt(), stopSequences.apply(series.rules()));
            prepare.accept(worker);
            if (!workers.add(worker)) {
                throw new DuplicateWorkerException(id);
            }
        } catch (Throwable t) {
            port.ifPresent(ports::release);
            throw t;
        }
        register(worker, record);
        if (held) { // before the start: only a process that has been started becomes ready
            registry.supervision().holdLeasing(record.incarnation());
        }
        return start(worker, record);
    }

    private WorkerSeries series(String id, WorkerSpec spec, SerialExecutor serialExecutor, OutputFeed output) {
        WorkerRules rules = workers.defaults().of(spec);
        return new WorkerSeries(id, spec, rules, new RestartHistory(rules.restartPolicy()), serialExecutor, output);
    }

    /** The next series of a worker that is replaced in place; its failures are counted anew. */
    WorkerSeries seriesAfter(WorkerSeries last, WorkerSpec spec) {
        return series(last.id(), spec, last.serialExecutor(), last.output());
    }

    private void register(SupervisedWorker worker, WorkerInfo record) {
        try {
            requireOpen(); // a shutdown that missed this worker has closed before
            registry.register(record);
        } catch (Throwable t) {
            worker.start.abandon();
            exits.forget(worker, t);
            throw t;
        }
    }

    /** The worker is registered by now, and may be stopped before its process is started. */
    private WorkerInfo start(SupervisedWorker worker, WorkerInfo record) {
        try {
            if (!worker.start.begin()) {
                requireOpen(); // a shutdown may have cancelled the start
                throw stoppedBeforeStart(worker);
            }
            Started process = starter.start(worker);
            if (!follow(worker, process, record)) {
                throw stoppedBeforeStart(worker);
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

    private static SpawnException stoppedBeforeStart(SupervisedWorker worker) {
        return new SpawnException(
                worker.launch.process().command(), "the worker was stopped before its process was started", null);
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
                .labels(spec.labels())
                .generation(FIRST_GENERATION)
                .state(new Loading(now))
                .startedAt(now)
                .build();
    }

    /**
     * Begins the next generation of a worker that is backing off, on its port, or, unless it is replaced in place, on
     * another one if that is in use. The start itself may block and runs on the blocking executor. In the worker's
     * serial executor.
     *
     * @param worker the generation that has exited
     * @param seen its record, BackingOff
     */
    void respawn(SupervisedWorker worker, WorkerInfo seen) {
        if (workers.isClosed()) {
            exits.cancelRestart(worker, StopReason.SHUTDOWN);
            return;
        }
        Instant now = registry.clock().instant();
        Revision revision = worker.revision();
        Launch launch = revision == null ? nextLaunch(worker) : revision.launch();
        WorkerInfo record = nextRecord(seen, revision, launch, now).orElse(null);
        if (record == null) {
            releaseUnlessIn(worker.launch, launch);
            return; // the hive has changed it; the next tick tries again
        }
        if (revision == null && !launch.port().equals(worker.launch.port())) {
            log.info(
                    "worker {}: port {} is in use by another process; the next generation uses port {}",
                    worker.name,
                    worker.launch.port().getAsInt(),
                    launch.port().getAsInt());
        }
        releaseUnlessIn(launch, worker.launch);
        WorkerSeries series = revision == null ? worker.series : revision.series();
        SupervisedWorker next = worker.next(series, launch, now, stopSequences.apply(series.rules()));
        workers.replace(worker, next);
        if (revision != null) {
            revision.beginsAs(next);
        }
        HiveFutures.relay(next.started, worker.successor);
        DeferredCallBacks.run(() -> submitStart(next, record)); // the executor may run it on this thread
    }

    private Optional<WorkerInfo> nextRecord(WorkerInfo seen, @Nullable Revision revision, Launch launch, Instant now) {
        return revision == null
                ? registry.supervision().restartIfUnchanged(seen, new Loading(now), launch.url())
                : registry.supervision().replaceIfUnchanged(seen, revision.recordAfter(seen, now));
    }

    private void submitStart(SupervisedWorker next, WorkerInfo record) {
        try {
            blocking.execute(() -> startNext(next, record));
        } catch (Throwable t) {
            next.decide(() -> rejected(next, t));
        }
    }

    private void rejected(SupervisedWorker next, Throwable why) {
        if (next.start.cancel()) { // else the executor has run it
            String reason = "the executor for it rejected it: " + LogText.describe(why);
            exits.startFailed(next, new SpawnException(next.launch.process().command(), reason, why));
        } else {
            log.warn("worker {}: the executor that started it failed", next.name, LogText.of(why));
        }
    }

    /** Whether the blocking executor has terminated: it runs none of its queued starts. */
    boolean hasExecutorEnded() {
        return blocking instanceof ExecutorService executor && executor.isTerminated();
    }

    private Launch nextLaunch(SupervisedWorker worker) {
        WorkerSpec spec = worker.series.spec();
        OptionalInt last = worker.launch.port();
        OptionalInt port =
                last.isPresent() && !spec.listenerOutsideTree() ? OptionalInt.of(ports.next(last.getAsInt())) : last;
        return Launch.of(spec, worker.id, worker.generation + 1, port);
    }

    private void releaseUnlessIn(Launch used, Launch unused) {
        if (!unused.port().equals(used.port())) {
            unused.port().ifPresent(ports::release);
        }
    }

    private void startNext(SupervisedWorker next, WorkerInfo record) {
        if (!next.start.begin()) {
            return; // abandoned, or run twice
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
     * Attaches the started process; from here on, its exit ends the worker.
     *
     * @return false if the start was abandoned meanwhile; then the process is killed
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
                // last: if it fails, a tick detects the exit
                start.onExit().thenAccept(status -> exits.onExit(worker, status));
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
                    .flatMap(own -> registry.supervision().started(worker.incarnation, start.pid()))
                    .orElse(running);
        } finally {
            worker.attach(start.process(), start.pid()); // even after a failure, the process is supervised
        }
        log.info("worker {} is loading, pid {}", worker.name, start.pid());
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
