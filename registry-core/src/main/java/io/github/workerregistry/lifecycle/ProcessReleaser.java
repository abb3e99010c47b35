package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.WorkerProcess;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has processes that have exited released on the hive's executor for what may block. What that does not do, because it
 * refuses, or is shut down with the task in its queue, is done here in the end. Thread-safe.
 */
final class ProcessReleaser {

    private static final Logger log = LoggerFactory.getLogger(ProcessReleaser.class);

    private final Executor blocking;
    private final Set<RunOnce> open = ConcurrentHashMap.newKeySet();

    ProcessReleaser(Executor blocking) {
        this.blocking = blocking;
    }

    /**
     * Has a process released, outside of the decision that this is part of, because the executor may block when it
     * takes the task; but before the call-backs of what is decided next.
     */
    void release(String workerId, WorkerProcess process) {
        RunOnce release = new RunOnce(() -> release(process, workerId));
        open.add(release);
        DeferredCallBacks.run(() -> submit(release));
    }

    private void submit(RunOnce release) {
        try {
            blocking.execute(() -> run(release));
        } catch (Throwable refused) { // it has been shut down, or is full
            run(release);
        }
    }

    /** Runs the releases that have not begun, on the calling thread. */
    void finish() {
        open.forEach(this::run);
    }

    private void run(RunOnce release) {
        open.remove(release);
        release.run();
    }

    private static void release(WorkerProcess process, String workerId) {
        try {
            process.release();
        } catch (Throwable t) { // foreign code
            log.warn("worker {}: its files cannot be removed", workerId, LogText.of(t));
        }
    }
}
