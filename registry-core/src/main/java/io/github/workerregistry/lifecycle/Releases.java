package io.github.workerregistry.lifecycle;

import io.github.workerregistry.LogText;
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
final class Releases {

    private static final Logger log = LoggerFactory.getLogger(Releases.class);

    private final Executor blocking;
    private final Set<Once> open = ConcurrentHashMap.newKeySet();

    Releases(Executor blocking) {
        this.blocking = blocking;
    }

    /**
     * Has a process released, outside of the decision that this is part of, because the executor may block when it
     * takes the task; but before the call-backs of what is decided next.
     */
    void release(String workerId, WorkerProcess process) {
        Once release = new Once(() -> release(process, workerId));
        open.add(release);
        CallBacks.run(() -> handOver(release));
    }

    private void handOver(Once release) {
        try {
            blocking.execute(() -> run(release));
        } catch (Throwable refused) { // it has been shut down, or is full
            run(release);
        }
    }

    /** Does what has not been begun yet, on the calling thread. */
    void finish() {
        open.forEach(this::run);
    }

    private void run(Once release) {
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
