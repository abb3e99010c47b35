package io.github.workerregistry.examples.hive;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.workerregistry.examples.demo.DemoWorker;
import io.github.workerregistry.examples.http.JsonServer;
import io.github.workerregistry.pool.PoolConfig;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** The models of a hive without options: two demo models, and room for one of them, so that each evicts the other. */
final class DemoConfig {

    /** The models, in the order in which the welcome message uses them. */
    static final List<String> MODELS = List.of("tiny", "small");

    private static final String LOAD_TIME = "--load-time=1s";

    private DemoConfig() {}

    static PoolConfig read(HiveConfig reader) {
        StringBuilder yaml = new StringBuilder("devices: {cpu: {0: 1}}\nmodels:\n");
        MODELS.forEach(model -> yaml.append("  %s: {command: %s, units: 1, slots: 2}%n".formatted(model, command())));
        return reader.parse("the built-in configuration", yaml.toString());
    }

    /** A list of JSON is one of YAML. */
    private static String command() {
        List<String> command = new ArrayList<>(DemoWorker.command());
        command.add(LOAD_TIME);
        try {
            return JsonServer.JSON.writeValueAsString(command);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
