package io.github.workerregistry.lifecycle;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.lifecycle.StopSequence.Phase;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts workers: port, record, process, pid, in this order, and all or nothing.
 *
 * <p>The record comes before the process, so that a worker that calls back at once is known.
 */
final class Spawner {

    private static final Logger log = LoggerFactory.getLogger(Spawner.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final ProcessController processes;
    private final PortRange ports;
    private final LifecycleConfig config;
    private final StopLoop stops;
    private final Exits exits;
    private final RestartPolicy policy;
    private volatile boolean closed;

    Spawner(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            ProcessController processes,
            PortRange ports,
            LifecycleConfig config,
            StopLoop stops,
            Exits exits,
            RestartPolicy policy) {
        this.registry = registry;
        this.workers = workers;
        this.processes = processes;
        this.ports = ports;
        this.config = config;
        this.stops = stops;
        this.exits = exits;
        this.policy = policy;
    }

    /** Refuses every spawn from now on; one in flight is found among the workers. */
    void close() {
        closed = true;
    }

    WorkerInfo spawn(WorkerSpec spec) {
        requireOpen();
        OptionalInt port = Placeholders.needPort(spec) ? OptionalInt.of(ports.take()) : OptionalInt.empty();
        try {
            return spawn(spec, spec.id().orElseGet(() -> UUID.randomUUID().toString()), port);
        } catch (Throwable t) {
            port.ifPresent(ports::giveBack);
            throw t;
        }
    }

    private WorkerInfo spawn(WorkerSpec spec, String id, OptionalInt port) {
        Placeholders values = Placeholders.of(spec, id, port);
        Instant now = registry.clock().instant();
        WorkerInfo record = WorkerInfo.builder()
                .id(id)
                .url(values.fill(spec.url()))
                .modelRef(spec.modelRef())
                .backend(spec.backend())
                .device(spec.device())
                .slotsTotal(spec.slots())
                .state(new Loading(now))
                .startedAt(now)
                .build();
        SupervisedWorker worker = new SupervisedWorker(
                record, processSpec(spec, values), port, new RestartHistory(policy), config.killWait());
        if (!workers.add(worker)) {
            throw new DuplicateWorkerException(id);
        }
        WorkerProcess process;
        try {
            requireOpen(); // a shutdown that did not see this worker had closed the gate before
            registry.register(record);
            process = start(record, worker);
        } catch (Throwable t) {
            workers.remove(worker);
            worker.gone.completeExceptionally(t); // a stop or a shutdown that saw it waits for it
            worker.ready.completeExceptionally(t);
            throw t;
        }
        return follow(worker, process, record);
    }

    private static ProcessSpec processSpec(WorkerSpec spec, Placeholders values) {
        Map<String, String> environment = new HashMap<>(values.environment());
        environment.putAll(spec.environment());
        return new ProcessSpec(values.fill("{id}"), values.fill(spec.command()), environment, spec.directory());
    }

    /**
     * Starts the next generation of a worker that backs off. May block.
     *
     * @param worker the generation that has ended
     * @param seen its record, BackingOff
     */
    void respawn(SupervisedWorker worker, WorkerInfo seen) {
        Instant now = registry.clock().instant();
        SupervisedWorker next = worker.next(now);
        if (!workers.replace(worker, next)) {
            return; // stopped meanwhile
        }
        WorkerInfo record =
                closed ? null : registry.updateState(seen, new Loading(now)).orElse(null);
        if (record == null) {
            exits.forget(next); // stopped meanwhile, or the supervisor is
            return;
        }
        WorkerProcess process;
        try {
            process = startGuarded(next.processSpec);
        } catch (SpawnException e) {
            worker.successor.completeExceptionally(e);
            exits.startFailed(next, e);
            return;
        }
        worker.successor.complete(follow(next, process, record));
    }

    private WorkerProcess start(WorkerInfo record, SupervisedWorker worker) {
        try {
            return startGuarded(worker.processSpec);
        } catch (SpawnException e) {
            if (registry.remove(record, Exit.Cause.START_FAILED).isEmpty()) {
                registry.remove(record.id()); // stopped or reported ready while it started
            }
            throw e;
        }
    }

    /** The one guard around the controller: whatever it throws becomes a {@link SpawnException}. */
    private WorkerProcess startGuarded(ProcessSpec spec) {
        WorkerProcess process;
        try {
            process = processes.start(spec);
        } catch (SpawnException e) {
            throw e;
        } catch (Throwable t) {
            throw new SpawnException(spec.command(), String.valueOf(t), t);
        }
        if (process == null || process.identity() == null || process.onExit() == null) {
            throw new SpawnException(spec.command(), "the process controller returned null", null);
        }
        return process;
    }

    /** From here on the process is there, and its end is the end of the worker. */
    private WorkerInfo follow(SupervisedWorker worker, WorkerProcess process, WorkerInfo record) {
        long pid = process.identity().pid();
        log.info("worker {} is loading {}, pid {}", worker.id, worker.modelRef, pid);
        WorkerInfo started = registry.setPid(worker.id, worker.generation, pid)
                .orElseGet(() -> record.toBuilder().pid(pid).build());
        worker.attach(process);
        process.onExit().thenAccept(status -> exits.exited(worker, status));
        if (worker.stop.phase() != Phase.RUNNING) {
            stops.advance(worker); // stopped while it started
        }
        return started;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the supervisor is shutting down; it starts no more workers");
        }
    }
}
