package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.config.Faults;
import io.github.workerregistry.examples.config.Section;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads the file of {@code --config}: devices, models, and the limits of the pool. */
final class HiveConfig {

    private static final long MOST = 1_000_000_000_000L;
    private static final long MOST_WORKERS = 10_000;

    private final ModelConfig models;

    /** Creates a reader. What a model does not set is read by the other one. */
    HiveConfig(ModelConfig models) {
        this.models = models;
    }

    /**
     * Reads the text of a file.
     *
     * @throws io.github.workerregistry.examples.config.ConfigException if it is not valid; names every fault
     */
    PoolConfig parse(String file, String text) {
        Faults faults = new Faults(file);
        Section top = Section.parse(file, text, faults);
        PoolConfig.Builder pool = PoolConfig.builder();
        devices(top.section("devices"), pool);
        Map<String, Integer> lines = new TreeMap<>();
        for (Map.Entry<String, Section> model : top.section("models").sections().entrySet()) {
            lines.put(model.getKey(), model.getValue().line());
            Optional<ModelSpec> spec = models.read(model.getKey(), model.getValue(), faults);
            spec.ifPresent(pool::model);
        }
        limits(top.section("limits"), pool);
        top.refuseOthers();
        faults.throwIfAny();
        try {
            return pool.build();
        } catch (IllegalArgumentException e) {
            for (String fault : String.valueOf(e.getMessage()).split("; ", -1)) {
                faults.add(line(fault, lines), fault);
            }
            faults.throwIfAny();
            throw e;
        }
    }

    /** A fault of a model begins with its name. */
    private static int line(String fault, Map<String, Integer> lines) {
        return lines.entrySet().stream()
                .filter(model -> fault.startsWith("model " + model.getKey() + ":")
                        || fault.startsWith("model " + model.getKey() + " "))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(1);
    }

    /** By backend, then by index: what a device has room for. */
    private static void devices(Section devices, PoolConfig.Builder pool) {
        devices.sections()
                .forEach((backend, indices) -> indices.texts().keySet().forEach(index -> {
                    if (index.matches("\\d{1,4}")) {
                        indices.number(index, 0, MOST)
                                .ifPresent(units -> pool.device(backend, Integer.parseInt(index), units));
                    } else {
                        indices.fault(index, "must be the index of a device");
                    }
                }));
    }

    private static void limits(Section limits, PoolConfig.Builder pool) {
        limits.number("max_workers", 1, MOST_WORKERS).ifPresent(most -> pool.maxWorkers(most.intValue()));
        limits.duration("max_wait").ifPresent(pool::maxWait);
        limits.refuseOthers();
    }
}
