package io.github.workerregistry.examples.hive;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.pool.ModelStatus;
import java.util.List;
import java.util.Locale;

/**
 * A model in {@code GET /v1/models}, as in OpenAI's API, with its state.
 *
 * @param object always {@code model}
 * @param created always 0: models have no date here
 * @param state {@code unloaded}, {@code loading}, {@code ready}, {@code failed} or {@code stopping}; or
 *     {@code backing_off}
 * @param workers number of workers
 * @param waiting number of requests that wait for a slot
 * @param configured whether it can be loaded and unloaded
 * @param failure the last failed load, if it has not been ready since; null for none
 */
record ModelJson(
        String id,
        String object,
        long created,
        String ownedBy,
        String state,
        int workers,
        int waiting,
        boolean configured,
        String failure) {

    static ModelJson of(ModelStatus model) {
        return new ModelJson(
                model.modelRef(),
                "model",
                0,
                "worker-registry",
                model.state().name().toLowerCase(Locale.ROOT),
                model.workers().size(),
                model.waiting(),
                true,
                model.failure().map(ModelJson::text).orElse(null));
    }

    private static String text(ModelStatus.Failure failure) {
        return failure.exit().map(Exit::describe).orElse("its process could not be started");
    }

    /** A model whose workers were started through the API. */
    static ModelJson of(String modelRef, List<WorkerInfo> workers, int waiting) {
        boolean ready =
                workers.stream().anyMatch(worker -> worker.state() instanceof Idle || worker.state() instanceof Busy);
        String state = ready ? "ready" : workers.get(0).state().label();
        return new ModelJson(modelRef, "model", 0, "worker-registry", state, workers.size(), waiting, false, null);
    }
}
