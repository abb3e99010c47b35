package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.lifecycle.PortOwnerCheck.Owner;
import io.github.workerregistry.process.WorkerProcess;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes loading workers ready, by a call-back or a healthy probe answer; not before their process is started, and not
 * by the answer of another process at their address.
 */
final class Readiness {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private static final String ANSWERED = "it answered its first health check";
    private static final String UNVERIFIED = "; whether the worker itself listens there cannot be determined";

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final RegistrySupervisors supervisors;

    Readiness(WorkerRegistry registry, SupervisedWorkers workers, RegistrySupervisors supervisors) {
        this.registry = registry;
        this.workers = workers;
        this.supervisors = supervisors;
    }

    /**
     * The worker calls back.
     *
     * @param meant whether a record is of the worker that is meant
     * @return whether it is ready now, or will be as soon as the start of its process has returned
     */
    boolean calledBack(String id, Predicate<WorkerInfo> meant) {
        WorkerInfo seen = registry.get(id).filter(meant).orElse(null);
        if (seen != null && supervisors.isSpawnedByOther(workers, seen)) {
            return false; // only that one knows whether the start has returned
        }
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
        if (worker == null || !worker.owns(seen) || !worker.recordCallBack()) {
            return false;
        }
        if (worker.process() != null) { // it has come in between, and may have missed the note
            becomes(seen, "it called back");
        }
        return true;
    }

    /** The process is attached: an earlier call-back counts now. In the worker's serial executor. */
    WorkerInfo started(SupervisedWorker worker, WorkerInfo record) {
        boolean loads = record.state() instanceof Loading; // it may be stopping since it called back
        if (loads && worker.hasCalledBack() && becomes(record, "it called back")) {
            return registry.get(record.id()).filter(worker::owns).orElse(record);
        }
        return record;
    }

    /**
     * A probe was passed: by the worker, or by another process that listens in its place. On the thread on which the
     * answer came, with no lock held.
     */
    void answered(WorkerInfo seen) {
        if (workers.isWithoutProcess(seen)) {
            return;
        }
        SupervisedWorker worker = workers.get(seen.id());
        WorkerProcess process = worker == null || !worker.isGenerationOf(seen) ? null : worker.process();
        if (worker == null || process == null || worker.series.spec().listenerOutsideTree()) {
            becomes(seen, ANSWERED); // there is no process to compare with, or none that would listen
            return;
        }
        Owner owner = PortOwnerCheck.at(seen.url(), worker, process);
        if (owner == Owner.UNREADABLE) {
            return; // the next probe asks again
        }
        if (!isLoading(seen)) {
            return; // ready by its call-back; a process that exits meanwhile no longer owns its port
        }
        boolean foreign = owner == Owner.OTHER;
        boolean answeredByForeign = worker.recordForeignPortOwner(foreign) || foreign;
        if (foreign && worker.isFirstForeignPortOwner()) {
            log.warn(
                    "worker {} is not ready: another process answers its health checks, on port {}; if that serves the"
                            + " worker (a container, a proxy), set listenerOutsideTree() in its spec",
                    WorkerName.of(seen),
                    LocalAddresses.portOf(seen.url()));
        }
        if (!answeredByForeign) { // else it may have been this answer; the next one counts
            becomes(seen, owner == Owner.OWN ? ANSWERED : ANSWERED + UNVERIFIED);
        }
    }

    private boolean isLoading(WorkerInfo seen) {
        return registry.get(seen.id())
                .filter(now -> now.incarnation().equals(seen.incarnation()))
                .filter(now -> now.state() instanceof Loading)
                .isPresent();
    }

    private boolean becomes(WorkerInfo seen, String why) {
        @Nullable
        WorkerInfo ready =
                registry.supervision().transitionIfUnchanged(seen, new Idle()).orElse(null);
        if (ready != null) {
            log.info("worker {} is ready: {}", WorkerName.of(seen), why);
            workers.becameReady(ready, registry.clock().instant());
        }
        return ready != null;
    }
}
