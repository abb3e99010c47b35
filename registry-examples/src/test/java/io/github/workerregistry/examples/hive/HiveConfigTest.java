package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.workerregistry.examples.config.ConfigException;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.StopRequest;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import java.net.http.HttpClient;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HiveConfigTest {

    private static final String VALID = """
            devices:
              cuda: {0: 24000, 1: 24000}
            models:
              llama-70b:
                command: llama-server -m '/models/llama 70b.gguf' --port {port}
                aliases: [gpt-4o, llama]
                backend: cuda
                units: 20000
                slots: 4
                health_path: /health
                idle_timeout: 10m
                environment: {CUDA_VISIBLE_DEVICES: "{device}"}
              small:
                command: [small-server, "--port={port}"]
                backend: cuda
                max_workers: 2
            limits:
              max_workers: 6
              max_wait: 5s
            """;

    private final HttpClient client = HttpClient.newHttpClient();
    private final HiveConfig reader = new HiveConfig(new ModelConfig(
            LifecycleConfig.builder().build(),
            "http://127.0.0.1:8081/v1/workers",
            path -> HttpHealthProbe.at(path, client),
            path -> StopRequest.post(path, client)));

    /** Regression: {@code *server} was a program of the name {@code server}. */
    @Test
    void aliasIsAFault() {
        String text = VALID.replace("command: [small-server, \"--port={port}\"]", "command: *server");

        ConfigException invalid = catchThrowableOfType(ConfigException.class, () -> reader.parse("hive.yaml", text));

        assertThat(invalid.faults()).anyMatch(fault -> fault.startsWith("hive.yaml:14: ") && fault.contains("*server"));
    }

    @Test
    void modelsDevicesAndLimitsAreRead() {
        PoolConfig pool = reader.parse("hive.yaml", VALID);

        assertThat(pool.devices()).hasSize(2);
        assertThat(pool.maxWorkers()).isEqualTo(6);
        assertThat(pool.maxWait()).isEqualTo(Duration.ofSeconds(5));
        ModelSpec llama = pool.models().get(0);
        assertThat(llama.aliases()).containsExactlyInAnyOrder("gpt-4o", "llama");
        assertThat(llama.units()).isEqualTo(20_000);
        assertThat(llama.worker().command()).contains("/models/llama 70b.gguf");
        assertThat(llama.worker().slots()).isEqualTo(4);
        assertThat(llama.worker().lifecycle().orElseThrow().idleTimeout()).contains(Duration.ofMinutes(10));
        assertThat(pool.models().get(1).maxWorkers()).isEqualTo(2);
    }

    @Test
    void theSameFileGivesAnEqualConfig() {
        assertThat(reader.parse("hive.yaml", VALID)).isEqualTo(reader.parse("hive.yaml", VALID));
    }

    @Test
    void everyFaultIsNamedWithItsLine() {
        ConfigException wrong = catchThrowableOfType(ConfigException.class, () -> reader.parse("hive.yaml", """
                models:
                  a:
                    command: server --port {port}
                    slots: 0
                    aliases: other
                    slot: 2
                  b:
                    units: many
                limits:
                  max_wait: soon
                """));

        assertThat(wrong.faults())
                .containsExactly(
                        "hive.yaml:4: models.a.slots must be a whole number from 1 to 65536",
                        "hive.yaml:5: models.a.aliases must be a list",
                        wrong.faults().get(2),
                        wrong.faults().get(3),
                        "hive.yaml:8: models.b.units must be a whole number from 0 to 1000000000000",
                        "hive.yaml:10: limits.max_wait must be a duration such as 500ms, 2s, 5m or 1h");
        assertThat(wrong.faults().get(2)).startsWith("hive.yaml:6: models.a.slot is unknown; known are command, ");
        assertThat(wrong.faults().get(3)).isEqualTo("hive.yaml:7: models.b.command: is missing");
    }

    @Test
    void modelThatFitsNoDeviceIsNamedWithItsLine() {
        ConfigException wrong = catchThrowableOfType(
                ConfigException.class, () -> reader.parse("hive.yaml", VALID.replace("20000", "30000")));

        assertThat(wrong.faults()).singleElement().asString().startsWith("hive.yaml:4: model llama-70b");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"models: [", "a: 1\na: 2", "- a", "models: {a: {command: 'x {nope}'}}", "---\na: 1\n---\nb: 1"})
    void whatIsNoConfigurationIsRefused(String text) {
        ConfigException wrong = catchThrowableOfType(ConfigException.class, () -> reader.parse("hive.yaml", text));

        assertThat(wrong).isNotNull();
        assertThat(wrong.faults()).isNotEmpty().allMatch(fault -> fault.matches("hive.yaml:\\d+: .+"));
    }

    @Test
    void modelsWithTheSameHealthPathShareTheirProbe() {
        PoolConfig pool = reader.parse("hive.yaml", """
                models:
                  a: {command: 'a {port}', health_path: /health}
                  b: {command: 'b {port}', health_path: /health}
                """);

        HealthProbe first = pool.models().get(0).worker().healthProbe().orElseThrow();
        assertThat(pool.models().get(1).worker().healthProbe().orElseThrow()).isSameAs(first);
    }
}
