package io.github.workerregistry.examples.hive;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Answer;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.pool.WorkerPool;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The models, as OpenAI's clients list them. */
final class ModelsApi {

    private final WorkerRegistry registry;
    private final Optional<WorkerPool> pool;

    /** A list of OpenAI's API. */
    record ListJson(String object, Collection<ModelJson> data) {}

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

    private Map<String, ModelJson> models() {
        Map<String, ModelJson> models = new LinkedHashMap<>();
        pool.ifPresent(pooled -> pooled.models().forEach(model -> models.put(model.modelRef(), ModelJson.of(model))));
        Map<String, List<WorkerInfo>> byModel =
                registry.list().stream().collect(groupingBy(WorkerInfo::modelRef, TreeMap::new, toList()));
        byModel.forEach(
                (model, workers) -> models.putIfAbsent(model, ModelJson.of(model, workers, registry.waiting(model))));
        return models;
    }
}
