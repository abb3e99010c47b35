package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.lifecycle.StopSequence.Phase;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Builds the exit of a worker process: cause, status, last output lines. */
final class ExitRecorder {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    /** Lines of output kept with an exit. */
    private static final int OUTPUT_LINES = 20;

    /** A shell's exit code for a command that cannot be started; here there is no process. */
    private static final int CANNOT_START = 127;

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;

    ExitRecorder(WorkerRegistry registry, SupervisedWorkers workers) {
        this.registry = registry;
        this.workers = workers;
    }

    /** The exit of a process. */
    Exit of(SupervisedWorker worker, WorkerProcess process, ExitStatus status) {
        if (worker.stop.phase().compareTo(Phase.ASKED) >= 0) {
            return exit(worker, causeOfStop(worker), status.asRequested(), output(worker, process));
        }
        return exit(worker, causeOf(status), status, output(worker, process));
    }

    private Exit.Cause causeOf(ExitStatus status) {
        if (status.isSuccess()) {
            return Exit.Cause.EXITED;
        }
        return workers.isClosed() && SharedSignal.ended(status) ? Exit.Cause.SHUTDOWN : Exit.Cause.CRASHED;
    }

    /** The exit of a process that could not be started. */
    Exit ofFailedStart(SupervisedWorker worker, SpawnException failure) {
        return exit(
                worker,
                Exit.Cause.START_FAILED,
                ExitStatus.unrequested(CANNOT_START),
                List.of(LogText.of(String.valueOf(failure.getMessage()))));
    }

    /** The exit of a worker that was stopped before it had a process. */
    Exit ofNoStart(SupervisedWorker worker, String how) {
        return exit(worker, Exit.Cause.START_FAILED, ExitStatus.requested(CANNOT_START), List.of(how));
    }

    private Exit exit(SupervisedWorker worker, Exit.Cause cause, ExitStatus status, List<String> output) {
        return new Exit(
                worker.incarnation,
                worker.series.spec().modelRef(),
                cause,
                status,
                output,
                registry.clock().instant());
    }

    /** The cause of a requested stop: the reason that was recorded first. */
    private Exit.Cause causeOfStop(SupervisedWorker worker) {
        return registry.get(worker.id)
                .filter(worker::owns)
                .map(WorkerInfo::state)
                .map(state ->
                        state instanceof Stopping stopping ? stopping.reason().cause() : Exit.Cause.DEREGISTERED)
                .orElse(Exit.Cause.DEREGISTERED);
    }

    private static List<String> output(SupervisedWorker worker, WorkerProcess process) {
        try {
            List<String> lines = process.outputTail(OUTPUT_LINES);
            return lines.subList(Math.max(0, lines.size() - OUTPUT_LINES), lines.size()).stream()
                    .map(LogText::of)
                    .toList();
        } catch (Throwable t) { // foreign code must not prevent the processing of the exit
            log.warn("worker {}: its last output cannot be read", worker.name, LogText.of(t));
            return List.of();
        }
    }
}
