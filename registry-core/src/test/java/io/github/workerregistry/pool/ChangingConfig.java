package io.github.workerregistry.pool;

import io.github.workerregistry.lifecycle.WorkerSpec;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A config of two devices and up to four models that a history changes. A command has its revision, which only
 * increases, and the units that it claims.
 */
final class ChangingConfig {

    static final String ALIAS = "x";

    private static final List<String> MODELS = List.of("a", "b", "c", "d");

    private final long[] capacity;
    private final Map<String, Integer> revisions = new HashMap<>();
    private final Map<String, Long> units = new HashMap<>(Map.of("a", 2L, "b", 2L, "c", 1L, "d", 2L));
    private final Set<String> present = new TreeSet<>(MODELS);
    private int maxWorkers = 3;
    private String aliased = "a";

    ChangingConfig(long... capacity) {
        this.capacity = capacity;
    }

    PoolConfig.Builder builder() {
        PoolConfig.Builder config = PoolConfig.builder();
        for (int i = 0; i < capacity.length; i++) {
            config.device("cpu", i, capacity[i]);
        }
        present.forEach(model -> config.model(model(model).build()));
        return config;
    }

    private ModelSpec.Builder model(String name) {
        WorkerSpec.Builder worker = WorkerSpec.builder()
                .command("serve", String.valueOf(revisions.getOrDefault(name, 0)), String.valueOf(units.get(name)));
        ModelSpec.Builder model = ModelSpec.builder(name).units(units.get(name));
        if (name.equals(aliased)) {
            model.alias(ALIAS);
        }
        return switch (name) {
            case "b" -> model.worker(worker.url("http://127.0.0.1:{port}/b")).minResidency(Duration.ofSeconds(5));
            case "c" -> model.worker(worker.url("http://127.0.0.1:{port}/c")).maxWorkers(maxWorkers);
            case "d" -> model.worker(worker.url("http://fake")).spanning(2);
            default -> model.worker(worker.url("http://fake"));
        };
    }

    boolean has(String model) {
        return present.contains(model);
    }

    String aliased() {
        return aliased;
    }

    void changeCommand(String model) {
        revisions.merge(model, 1, Integer::sum);
    }

    void changeUnits(String model) {
        units.merge(model, 1L, (now, one) -> 3 - now); // 1 or 2
        changeCommand(model);
    }

    void changeMaxWorkers() {
        maxWorkers = maxWorkers % 3 + 1;
    }

    void removeOrAdd(String model) {
        if (!present.remove(model)) {
            present.add(model);
        }
    }

    void moveAlias(String model) {
        aliased = model;
    }
}
