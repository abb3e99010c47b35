package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.WorkerProcess;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Releases exited processes on the hive's blocking executor. A release that it rejects runs on the calling thread; one
 * that is still queued when it is shut down runs in {@link #finish}. Thread-safe.
 */
final class ProcessReleaser {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final Executor blocking;
    private final Set<RunOnce> open = ConcurrentHashMap.newKeySet();

    ProcessReleaser(Executor blocking) {
        this.blocking = blocking;
    }

    /**
     * Submits the release of a process: after the current decision, because the executor may block its caller, but
     * before the call-backs of later decisions.
     */
    void release(WorkerName worker, WorkerProcess process) {
        RunOnce release = new RunOnce(() -> release(process, worker));
        open.add(release);
        DeferredCallBacks.run(() -> submit(release));
    }

    private void submit(RunOnce release) {
        try {
            blocking.execute(() -> run(release));
        } catch (Throwable rejected) { // shut down, or full
            run(release);
        }
    }

    /** Runs all releases that have not begun, on the calling thread. */
    void finish() {
        open.forEach(this::run);
    }

    private void run(RunOnce release) {
        open.remove(release);
        release.run();
    }

    private static void release(WorkerProcess process, WorkerName worker) {
        try {
            process.release();
        } catch (Throwable t) { // foreign code
            log.warn("worker {}: its files cannot be removed", worker, LogText.of(t));
        }
    }
}
