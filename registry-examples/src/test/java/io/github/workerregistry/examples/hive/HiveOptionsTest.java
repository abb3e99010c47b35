package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.ParameterException;

class HiveOptionsTest {

    @Test
    void withoutOptionsTheDefaultsOfTheLibraryApply() {
        HiveOptions options = Options.parse();

        assertThat(options.lifecycle()).isEqualTo(LifecycleConfig.defaults());
        assertThat(options.restart()).isEqualTo(RestartPolicy.onFailure());
        assertThat(options.hiveId()).isEqualTo("default");
        assertThat(options.host()).isEqualTo("127.0.0.1");
        assertThat(options.port()).isEqualTo(8081);
        assertThat(options.ports()).hasToString("8100-8199");
        assertThat(options.logDir()).isEmpty();
        assertThat(options.workers()).isEqualTo(2);
        assertThat(options.isDemo()).isTrue();
    }

    @Test
    void givenOptionsAreApplied() {
        HiveOptions options = Options.parse(
                "--health-interval=3s",
                "--health-timeout=2s",
                "--failure-threshold=5",
                "--idle-timeout=7m",
                "--idle-check=1s",
                "--stop-grace=4s",
                "--load-stall=30s",
                "--load-timeout=20m",
                "--heartbeat-interval=1s",
                "--busy-limit=9m",
                "--hive-id=gpu box",
                "--restart=always",
                "--restart-initial=2s",
                "--restart-max=8s",
                "--restart-stable=1h",
                "--restart-limit=3",
                "--restart-window=15s",
                "--ports=9000-9001",
                "--log-dir=logs");

        assertThat(options.lifecycle())
                .isEqualTo(LifecycleConfig.builder()
                        .healthInterval(Duration.ofSeconds(3))
                        .healthTimeout(Duration.ofSeconds(2))
                        .failureThreshold(5)
                        .idleTimeout(Duration.ofMinutes(7))
                        .idleCheckInterval(Duration.ofSeconds(1))
                        .stopGrace(Duration.ofSeconds(4))
                        .loadStallTimeout(Duration.ofSeconds(30))
                        .loadTimeout(Duration.ofMinutes(20))
                        .heartbeatInterval(Duration.ofSeconds(1))
                        .busyTimeout(Duration.ofMinutes(9))
                        .build());
        assertThat(options.restart())
                .isEqualTo(RestartPolicy.builder()
                        .mode(RestartPolicy.Mode.ALWAYS)
                        .initial(Duration.ofSeconds(2))
                        .max(Duration.ofSeconds(8))
                        .stableAfter(Duration.ofHours(1))
                        .limit(3)
                        .window(Duration.ofSeconds(15))
                        .build());
        assertThat(options.hiveId()).isEqualTo("gpu box");
        assertThat(options.ports()).hasToString("9000-9001");
        assertThat(options.logDir()).hasValue(Path.of("logs"));
    }

    @Test
    void shortIntervalsAloneAreAValidConfiguration() {
        LifecycleConfig lifecycle =
                Options.parse("--idle-timeout=2s", "--health-interval=200ms").lifecycle();

        assertThat(lifecycle.healthTimeout()).isEqualTo(Duration.ofMillis(200));
        assertThat(lifecycle.idleCheckInterval()).isLessThan(Duration.ofSeconds(2));
    }

    @Test
    void workerCommandStartsNoWorkersByDefault() {
        assertThat(Options.parse("--worker-command=serve --port {port}").workers())
                .isZero();
        assertThat(Options.parse("--worker-command=serve --port {port}", "--workers=3")
                        .workers())
                .isEqualTo(3);
    }

    @Test
    void commandIsSplitOnceAndKeepsItsPlaceholders() {
        CommandTemplate template =
                Options.parse("--worker-command=serve -m {model_path} 'a b'").template();

        assertThat(template.arguments()).containsExactly("serve", "-m", "{model_path}", "a b");
        assertThat(template.uses("model_path")).isTrue();
        assertThat(template.uses("port")).isFalse();
    }

    @Test
    void placeholderInDoubleBracesIsText() {
        CommandTemplate template = Options.parse("--worker-command=serve --log {{name}}.log {{port}}")
                .template();

        assertThat(template.arguments()).containsExactly("serve", "--log", "{{name}}.log", "{{port}}");
        assertThat(template.uses("port")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "--port, 70000",
                "--port, -1",
                "--port, http",
                "--port, 99999999999",
                "--workers, -1",
                "--workers, 2147483648",
                "--workers, two",
                "--worker-command, serve 'unclosed",
                "--worker-command, serve {modelref}{model_path}{model}",
                "--worker-command, ``",
                "--health-path, v1/health",
                "--health-path, /v1/the health",
                "--health-path, /%zz",
                "--health-path, /{",
                "--shutdown-path, stop",
                "--shutdown-path, /|",
                "--health-interval, 0s",
                "--health-timeout, 31s",
                "--failure-threshold, 0",
                "--failure-threshold, 3000000000",
                "--health-interval, -1s",
                "--idle-timeout, 99999999999999999999h",
                "--stop-grace, 1000000000000s",
                "--load-stall, `1 s`",
                "--load-timeout, 0s",
                "--idle-timeout, 5",
                "--heartbeat-interval, 5",
                "--busy-limit, 0s",
                "--restart, sometimes",
                "--restart-limit, many",
                "--restart-limit, 0",
                "--restart-initial, 10m",
                "--log-dir, ``",
                "--hive-id, ``",
                "--hive-id, a\u001bb",
                "--ports, 8199-8100",
                "--ports, 8100",
                "--ports, 0-70000",
                "--ports, 1-99999999999",
            })
    void invalidValueIsRejectedWithTheNameOfItsOption(String option, String value) {
        assertThatThrownBy(() -> readAll(Options.parse(option + "=" + value)))
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining(option);
    }

    @ParameterizedTest
    @CsvSource({"initial, 61s", "max, 999ms"})
    void inconsistentRestartOptionsAreRejectedByName(String name, String value) {
        HiveOptions options = Options.parse("--restart-" + name + "=" + value);

        assertThatThrownBy(options::restart)
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining("Invalid value for option '--restart-" + name + "'");
    }

    @Test
    void inconsistentRestartOptionsAreAllNamed() {
        HiveOptions options = Options.parse("--restart-initial=5s", "--restart-max=2s", "--restart-stable=1m");

        assertThatThrownBy(options::restart).hasMessageContaining("'--restart-initial', '--restart-max': max must be");
    }

    @Test
    void restartsLongerThanTheirWindowAreRejectedWithBothNumbers() {
        HiveOptions options = Options.parse("--restart-window=31s");

        assertThatThrownBy(options::restart)
                .isInstanceOf(ParameterException.class)
                .hasMessageContainingAll("'--restart-window'", "PT31S", "5 backoffs add up to PT31S");
    }

    @Test
    void commandWithAModelPathRejectsInitialWorkers() {
        HiveOptions options = Options.parse("--worker-command=serve -m {model_path}", "--workers=1");

        assertThatThrownBy(options::workers)
                .isInstanceOf(ParameterException.class)
                .hasMessageContaining("--workers")
                .hasMessageContaining("{model_path}");
    }

    private static void readAll(HiveOptions options) {
        assertThat(options.port()).isNotNegative();
        assertThat(options.workers()).isNotNegative();
        assertThat(options.healthPath()).startsWith("/");
        assertThat(options.shutdownPath()).startsWith("/");
        assertThat(options.lifecycle()).isNotNull();
        assertThat(options.restart()).isNotNull();
        assertThat(options.hiveId()).isNotBlank();
        assertThat(options.logDir()).isNotNull();
    }
}
