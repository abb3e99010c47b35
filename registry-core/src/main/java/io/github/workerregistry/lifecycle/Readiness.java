package io.github.workerregistry.lifecycle;

import io.github.workerregistry.LogText;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.process.WorkerProcess;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
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
    private final AtomicBoolean uncheckedTold = new AtomicBoolean();

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
        if (!workers.isWithoutProcess(seen) && !isAnsweredByAnother(seen)) {
            becomes(seen, "it answered its first health check");
        }
    }

    /**
     * Whether another process listens where the worker is to be reached, or that cannot be told now. Asked where the
     * answer came, with no lock held; once a load in the main.
     */
    private boolean isAnsweredByAnother(WorkerInfo seen) {
        SupervisedWorker worker = workers.get(seen.id());
        WorkerProcess process = worker != null && worker.owns(seen) ? worker.process() : null;
        if (worker == null || process == null || worker.lineage.spec().listenerOutsideTree()) {
            return false;
        }
        try {
            for (InetSocketAddress address : LocalAddresses.of(seen.url())) {
                Optional<Boolean> own = process.ownsListener(address);
                if (own.isEmpty() && !uncheckedTold.getAndSet(true)) {
                    log.info(
                            "worker {}: who listens at {} is not known; the health check alone decides",
                            seen.id(),
                            address);
                }
                if (own.isPresent() && !own.get()) {
                    worker.complain(
                            log,
                            "worker {} is not ready: another process answers its health checks",
                            new IllegalStateException("another process listens at " + address));
                    return true;
                }
            }
            return false;
        } catch (Throwable t) { // foreign code, or no file descriptor: the next probe asks again
            log.debug("worker {}: who listens at {} cannot be told now", seen.id(), seen.url(), LogText.of(t));
            return true;
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
