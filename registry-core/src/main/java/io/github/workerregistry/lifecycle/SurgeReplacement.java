package io.github.workerregistry.lifecycle;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces a worker by another one that is ready before the first one is stopped. So one of the two accepts requests at
 * any moment, if the first one does at the beginning.
 */
final class SurgeReplacement {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final Replacement replacement;
    private final WorkerRegistry registry;
    private final Spawner spawner;
    private final Stopper stopper;

    SurgeReplacement(Replacement replacement, WorkerRegistry registry, Spawner spawner, Stopper stopper) {
        this.replacement = replacement;
        this.registry = registry;
        this.spawner = spawner;
        this.stopper = stopper;
    }

    /** Starts the new worker on an executor, because a start may block. */
    void begin(Executor blocking) {
        replacement.startIsSubmitted();
        try {
            blocking.execute(this::start);
        } catch (Throwable rejected) {
            replacement.fail(rejected);
        }
    }

    private void start() {
        try {
            replacement.startBegins();
            spawner.spawn(replacement.spec(), this::prepare);
        } catch (Throwable t) {
            replacement.fail(t);
        }
    }

    /** Called before the record is registered, so before any exit. */
    private void prepare(SupervisedWorker next) {
        next.beginReplacing();
        next.ready.whenComplete((ready, failure) -> {
            if (failure instanceof DuplicateWorkerException) {
                return; // the spawn tries another id, or throws this
            }
            if (failure != null) {
                replacement.fail(failure);
            } else {
                next.decide(() -> stopReplaced(next, ready));
            }
        });
    }

    /** In the serial executor of the new worker: its exit is processed before or after this. */
    private void stopReplaced(SupervisedWorker next, WorkerInfo ready) {
        if (next.hasExited() || !isRoutable(next)) { // it ended right after it became ready, or is about to
            next.successor.whenComplete((none, failure) -> replacement.fail(failure));
            return;
        }
        next.endReplacing();
        stopper.stopReplaced(replacement.replaced()).whenComplete((replaced, failure) -> {
            if (failure == null || failure instanceof NoSuchWorkerException) { // it has ended already
                replacement.complete(own(next).orElse(ready)); // first: the log may fail
                log.info("worker {} has replaced worker {}", next.name, replacement.replaced().name);
            } else {
                replacement.fail(failure);
            }
        });
    }

    private boolean isRoutable(SupervisedWorker next) {
        return own(next).filter(record -> record.state().routable()).isPresent();
    }

    private Optional<WorkerInfo> own(SupervisedWorker next) {
        return registry.get(next.id).filter(next::owns);
    }
}
