package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Checks.MAX_NAME_LENGTH;

import io.github.workerregistry.Subscription;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.WorkerProcess;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the output and the usage of running workers. */
final class WorkerOutput {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;

    WorkerOutput(WorkerRegistry registry, SupervisedWorkers workers) {
        this.registry = registry;
        this.workers = workers;
    }

    List<String> last(String id, int maxLines) {
        SupervisedWorker worker = workers.get(id);
        WorkerProcess process = worker == null ? null : worker.process();
        if (worker == null || process == null) {
            return List.of();
        }
        requireRecorded(worker);
        return worker.hasExited() ? lastOfExit(worker, maxLines) : last(worker, process, maxLines);
    }

    private static List<String> last(SupervisedWorker worker, WorkerProcess process, int maxLines) {
        try {
            return lastOf(process.outputTail(maxLines), maxLines).stream()
                    .map(LogText::of)
                    .toList();
        } catch (Throwable t) { // foreign code
            worker.warnOnce(log, "worker {}: its output cannot be read", t);
            return List.of();
        }
    }

    /** The process has been released; its last lines are in the exit. */
    private List<String> lastOfExit(SupervisedWorker worker, int maxLines) {
        return registry.get(worker.id)
                .map(WorkerInfo::state)
                .map(state ->
                        state instanceof BackingOff waiting ? waiting.exit().output() : List.<String>of())
                .map(lines -> lastOf(lines, maxLines))
                .orElse(List.of());
    }

    private static List<String> lastOf(List<String> lines, int maxLines) {
        return lines.subList(Math.max(0, lines.size() - maxLines), lines.size());
    }

    Subscription follow(String id, OutputListener listener, Executor executor) {
        SupervisedWorker worker = workers.get(id);
        OutputFeed feed = worker == null ? null : worker.series.output();
        OutputFollower follower = new OutputFollower(
                feed == null ? () -> LogText.shortened(id, MAX_NAME_LENGTH) : feed::name,
                listener,
                executor,
                registry.clock(),
                closed -> {
                    if (feed != null) {
                        feed.remove(closed);
                    }
                },
                worker == null ? 0 : worker.generation,
                worker == null ? 0 : bytesSoFar(worker));
        if (feed != null) {
            feed.add(follower);
        } else { // it has been removed
            follower.end();
            follower.wake();
            if (!workers.isClosed()) { // else there may be no tick any more
                workers.ending().add(follower);
            }
        }
        return follower;
    }

    private static long bytesSoFar(SupervisedWorker worker) {
        WorkerProcess process = worker.process();
        if (process == null) {
            return 0;
        }
        requireRecorded(worker);
        if (worker.hasExited()) {
            return 0;
        }
        try {
            long bytes = process.outputBytes();
            if (process.readOutput(bytes, ByteBuffer.allocate(0)).isPresent()) {
                return bytes;
            }
        } catch (Throwable t) { // foreign code; the next read tries again
            worker.warnOnce(log, "worker {}: its output cannot be read", t);
            return 0;
        }
        throw new UnsupportedOperationException("worker " + worker.id
                + ": its output cannot be followed; its process controller does not implement readOutput");
    }

    private static void requireRecorded(SupervisedWorker worker) {
        if (!worker.recordsOutput()) {
            throw new UnsupportedOperationException("worker " + worker.id
                    + ": its output is not recorded; it is discarded, or inherited from this JVM");
        }
    }

    Optional<ProcessUsage> usage(String id) {
        SupervisedWorker worker = workers.get(id);
        WorkerProcess process = worker == null ? null : worker.process();
        if (worker == null || process == null || worker.hasExited()) {
            return Optional.empty();
        }
        try {
            return process.usage();
        } catch (Throwable t) { // foreign code
            worker.warnOnce(log, "worker {}: its usage cannot be read", t);
            return Optional.empty();
        }
    }
}
