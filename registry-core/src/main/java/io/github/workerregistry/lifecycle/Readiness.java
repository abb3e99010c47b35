package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes workers that load ready: at their call-back, or when they have answered a probe. Not before their process is
 * there.
 */
final class Readiness {

    private static final Logger log = LoggerFactory.getLogger(Readiness.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;

    Readiness(WorkerRegistry registry, SupervisedWorkers workers) {
        this.registry = registry;
        this.workers = workers;
    }

    /**
     * The worker calls back.
     *
     * @param meant whether a record is of the worker that is meant
     * @return whether it is ready now, or will be as soon as the start of its process has returned
     */
    boolean calledBack(String id, Predicate<WorkerInfo> meant) {
        WorkerInfo seen = registry.get(id).filter(meant).orElse(null);
        if (seen != null && seen.state() instanceof Loading) {
            if (workers.isWithoutProcess(seen)) {
                return calledBackAtOnce(seen);
            }
            if (becomes(seen, "it called back")) {
                return true;
            }
            seen = registry.get(id).filter(meant).orElse(null);
        }
        return seen != null && seen.state().routable();
    }

    /** It may be faster than the thread that starts it; but while no thread does, the call is an earlier process's. */
    private boolean calledBackAtOnce(WorkerInfo seen) {
        SupervisedWorker worker = workers.get(seen.id());
        if (worker == null || !worker.owns(seen) || !worker.noteCallBack()) {
            return false;
        }
        if (worker.process() != null) { // it has come in between, and may have missed the note
            becomes(seen, "it called back");
        }
        return true;
    }

    /** The process is there: a call-back that came before counts now. In the worker's turn. */
    WorkerInfo started(SupervisedWorker worker, WorkerInfo record) {
        if (worker.hasCalledBack() && becomes(record, "it called back")) {
            return registry.get(record.id()).filter(worker::owns).orElse(record);
        }
        return record;
    }

    /** It has answered a probe. */
    void answered(WorkerInfo seen) {
        if (!workers.isWithoutProcess(seen)) {
            becomes(seen, "it answered its first health check");
        }
    }

    private boolean becomes(WorkerInfo seen, String why) {
        @Nullable
        WorkerInfo ready = registry.updateStateIfUnchanged(seen, new Idle()).orElse(null);
        if (ready != null) {
            log.info("worker {} is ready: {}", seen.id(), why);
            workers.becameReady(ready, registry.clock().instant());
        }
        return ready != null;
    }
}
