package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.LogText;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.lifecycle.StopSequence.Phase;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out why and how a worker's process ended, and what it said last. */
final class PostMortem {

    private static final Logger log = LoggerFactory.getLogger(PostMortem.class);

    /** Lines of output kept with an exit. */
    private static final int OUTPUT_LINES = 20;

    /** What a shell says of a command that it cannot start; there is no process that could have said anything. */
    private static final int CANNOT_START = 127;

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;

    PostMortem(WorkerRegistry registry, SupervisedWorkers workers) {
        this.registry = registry;
        this.workers = workers;
    }

    /** The record of a process that has gone. */
    Exit of(SupervisedWorker worker, WorkerProcess process, ExitStatus status) {
        if (worker.stop.phase().compareTo(Phase.ASKED) >= 0) {
            return exit(worker, reason(worker), status.asRequested(), output(worker, process));
        }
        return exit(worker, causeOf(status), status, output(worker, process));
    }

    private Exit.Cause causeOf(ExitStatus status) {
        if (status.isSuccess()) {
            return Exit.Cause.EXITED;
        }
        return workers.isClosed() && SharedSignal.ended(status) ? Exit.Cause.SHUTDOWN : Exit.Cause.CRASHED;
    }

    /** The record of a process that could not be started. */
    Exit ofFailedStart(SupervisedWorker worker, SpawnException failure) {
        return exit(
                worker,
                Exit.Cause.START_FAILED,
                ExitStatus.unrequested(CANNOT_START),
                List.of(LogText.of(String.valueOf(failure.getMessage()))));
    }

    /** The record of a worker that was stopped before it had a process. */
    Exit ofNoStart(SupervisedWorker worker, String how) {
        return exit(worker, Exit.Cause.START_FAILED, ExitStatus.requested(CANNOT_START), List.of(how));
    }

    private Exit exit(SupervisedWorker worker, Exit.Cause cause, ExitStatus status, List<String> output) {
        return new Exit(
                worker.id,
                worker.lineage.spec().modelRef(),
                worker.generation,
                cause,
                status,
                output,
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
            List<String> lines = process.outputTail(OUTPUT_LINES);
            return lines.subList(Math.max(0, lines.size() - OUTPUT_LINES), lines.size()).stream()
                    .map(LogText::of)
                    .toList();
        } catch (Throwable t) { // foreign code, which must not keep the exit from being dealt with
            log.warn("worker {}: its last output cannot be read", worker.id, LogText.of(t));
            return List.of();
        }
    }
}
