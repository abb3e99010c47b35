package io.github.workerregistry.lifecycle;

import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/**
 * Replaces a worker by its own next generation, on its port: the process is terminated after a drain without limit,
 * then one with the new spec is started.
 */
final class InPlaceReplacement {

    private final Replacement replacement;
    private final Spawner spawner;
    private final Stopper stopper;
    private final RestartLoop restarts;

    InPlaceReplacement(Replacement replacement, Spawner spawner, Stopper stopper, RestartLoop restarts) {
        this.replacement = replacement;
        this.spawner = spawner;
        this.stopper = stopper;
        this.restarts = restarts;
    }

    void begin() {
        CompletableFuture<?> decided = new CompletableFuture<>();
        decided.whenComplete((none, failure) -> {
            if (failure != null) {
                replacement.fail(failure);
            }
        });
        stopper.decide(replacement.replaced(), decided, this::replace);
    }

    private void replace(SupervisedWorker worker) {
        if (worker.process() == null && !worker.hasExited()) {
            whenStarted(worker);
            return;
        }
        Revision revision;
        try {
            revision = revision(worker, replacement.spec());
        } catch (IllegalArgumentException malformed) { // for example, a url with this id in it
            replacement.fail(malformed);
            return;
        }
        worker.requestReplacement(revision);
        restarts.beginNext(worker, stopper::stopToReplaceInPlace);
        worker.successor.whenComplete((next, failure) -> { // last: one that was unkillable has a new one now
            if (failure != null) {
                revision.cancel(failure);
            }
        });
    }

    /** The start of its process may take long, or never return: begins again afterwards. */
    private void whenStarted(SupervisedWorker worker) {
        CompletableFuture.anyOf(worker.started, worker.exit).whenComplete((none, failure) -> begin());
    }

    private Revision revision(SupervisedWorker worker, WorkerSpec spec) {
        OptionalInt port = Placeholders.needPort(spec) ? worker.launch.port() : OptionalInt.empty();
        Launch launch = Launch.of(spec, worker.id, worker.generation + 1, port);
        return new Revision(spawner.seriesAfter(worker.series, spec), launch, replacement);
    }
}
