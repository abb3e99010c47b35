package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.lifecycle.StopSequence.Phase;
import io.github.workerregistry.process.WorkerProcess;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What follows from the end of a process, once, whoever noticed it: a record of the exit, and slots, registry entry and port freed. */
final class Exits {

    private static final Logger log = LoggerFactory.getLogger(Exits.class);

    /** Lines of output kept with an exit. */
    private static final int OUTPUT_LINES = 20;

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final PortRange ports;
    private final Executor blocking;
    private final ExitHistory history = new ExitHistory();

    Exits(WorkerRegistry registry, SupervisedWorkers workers, PortRange ports, Executor blocking) {
        this.registry = registry;
        this.workers = workers;
        this.ports = ports;
        this.blocking = blocking;
    }

    List<Exit> recent() {
        return history.list();
    }

    void exited(SupervisedWorker worker, ExitStatus status) {
        WorkerProcess process = worker.process();
        if (process == null || !worker.markExited()) {
            return;
        }
        Exit exit = describe(worker, process, status);
        history.add(exit);
        if (exit.cause().isFailure()) {
            log.warn("worker {} is gone: {}, {}", worker.id, exit.cause(), exit.status());
        } else {
            log.info("worker {} is gone: {}, {}", worker.id, exit.cause(), exit.status());
        }
        if (registry.get(worker.id).filter(worker::owns).isPresent()) {
            registry.remove(exit);
        }
        workers.remove(worker);
        worker.port.ifPresent(ports::giveBack);
        worker.gone.complete(exit.status());
        release(worker, process);
    }

    private Exit describe(SupervisedWorker worker, WorkerProcess process, ExitStatus status) {
        Phase phase = worker.stop.phase();
        boolean asked = phase.compareTo(Phase.ASKED) >= 0;
        Exit.Cause cause = asked ? reason(worker) : status.isSuccess() ? Exit.Cause.EXITED : Exit.Cause.CRASHED;
        return new Exit(
                worker.id,
                worker.modelRef,
                worker.generation,
                cause,
                asked ? status.asRequested() : status,
                output(worker, process),
                registry.clock().instant());
    }

    /** Why it was asked to end: the reason that was recorded first. */
    private Exit.Cause reason(SupervisedWorker worker) {
        return registry.get(worker.id)
                .filter(worker::owns)
                .map(WorkerInfo::state)
                .map(state -> state instanceof Stopping stopping ? stopping.reason() : Exit.Cause.DEREGISTERED)
                .orElse(Exit.Cause.DEREGISTERED);
    }

    private static List<String> output(SupervisedWorker worker, WorkerProcess process) {
        try {
            return process.outputTail(OUTPUT_LINES);
        } catch (RuntimeException e) {
            log.warn("worker {}: its last output cannot be read", worker.id, e);
            return List.of();
        }
    }

    private void release(SupervisedWorker worker, WorkerProcess process) {
        Runnable release = () -> {
            try {
                process.release();
            } catch (RuntimeException e) {
                log.warn("worker {}: its files cannot be removed", worker.id, e);
            }
        };
        try {
            blocking.execute(release);
        } catch (RejectedExecutionException closed) {
            release.run();
        }
    }
}
