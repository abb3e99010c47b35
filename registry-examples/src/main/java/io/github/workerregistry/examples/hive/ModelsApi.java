package io.github.workerregistry.examples.hive;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Answer;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.pool.UnknownModelException;
import io.github.workerregistry.pool.WorkerPool;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The models, as OpenAI's clients list them. */
final class ModelsApi {

    private final WorkerRegistry registry;
    private final Optional<WorkerPool> pool;

    /** A list of OpenAI's API. */
    record ListJson(String object, Collection<ModelJson> data) {}

    /** The response to a load or an unload. The state is the action that was started. */
    record Begun(String model, String state) {}

    ModelsApi(WorkerRegistry registry, Optional<WorkerPool> pool) {
        this.registry = registry;
        this.pool = pool;
    }

    Answer list(Exchange exchange) {
        return Answer.ok(new ListJson("list", models().values()));
    }

    Answer get(Exchange exchange) {
        ModelJson model = models().get(exchange.path("model"));
        if (model == null) {
            throw new Refusal(404, "no_such_model", "there is no such model");
        }
        return Answer.ok(model);
    }

    /** Begins to load a model and does not wait: its state shows the outcome. */
    Answer load(Exchange exchange) {
        String model = exchange.path("model");
        return begun(model, "loading", pooled -> pooled.load(model));
    }

    /** Begins to stop the workers of a model and does not wait. A request loads it again. */
    Answer unload(Exchange exchange) {
        String model = exchange.path("model");
        return begun(model, "unloading", pooled -> pooled.unload(model));
    }

    private Answer begun(String model, String state, Consumer<WorkerPool> action) {
        try {
            if (pool.isPresent()) {
                action.accept(pool.get());
                return Answer.accepted(new Begun(model, state));
            }
        } catch (UnknownModelException e) {
            // as if there were no pool
        }
        throw new Refusal(404, "no_such_model", "there is no such model in the configuration");
    }

    /** All models, by name: those that are configured, then those of other workers. */
    Map<String, ModelJson> models() {
        Map<String, ModelJson> models = new LinkedHashMap<>();
        pool.ifPresent(pooled -> pooled.models().forEach(model -> models.put(model.modelRef(), ModelJson.of(model))));
        Map<String, List<WorkerInfo>> byModel =
                registry.list().stream().collect(groupingBy(WorkerInfo::modelRef, TreeMap::new, toList()));
        byModel.forEach(
                (model, workers) -> models.putIfAbsent(model, ModelJson.of(model, workers, registry.waiting(model))));
        return models;
    }
}
