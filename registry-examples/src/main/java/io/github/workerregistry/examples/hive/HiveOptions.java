package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.DurationConverter;
import io.github.workerregistry.examples.http.ForeignText;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.PortPool;
import io.github.workerregistry.lifecycle.RestartPolicy;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options, set by picocli. A field that is null was not given: then the default of the library applies. */
final class HiveOptions {

    private static final int MAX_PORT = 65_535;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--host",
            paramLabel = "<address>",
            defaultValue = "127.0.0.1",
            description =
                    "The address to listen on (default: ${DEFAULT-VALUE}). Every client of it can start processes.")
    private String host;

    @Option(
            names = "--port",
            paramLabel = "<port>",
            defaultValue = "8081",
            description = "The port to listen on; 0 for any free port (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--workers",
            paramLabel = "<count>",
            description = "How many workers, of model \"" + Welcome.FIRST_MODEL + "\", to start with"
                    + " (default: 2, or 0 with --worker-command or --config).")
    private Integer workers;

    @Option(
            names = "--worker-command",
            paramLabel = "<template>",
            converter = CommandTemplate.Converter.class,
            description =
                    "The command that starts a worker (default: the bundled demo worker). It is split into arguments"
                            + " once, as a shell would do it; no shell runs. Then {id} {port} {model_ref} {model_path}"
                            + " {backend} {device} {slots} {callback_url} {heartbeat_url} {heartbeat_ms} {generation} are"
                            + " filled in. The values are also in the worker's"
                            + " environment, as WORKER_ID, WORKER_PORT and so on.")
    private CommandTemplate workerCommand;

    @Option(
            names = "--config",
            paramLabel = "<file>",
            description = "The models that are loaded on demand, and the devices that they run on, in YAML"
                    + " (default: two demo models, and room for one; none with --worker-command).")
    private Path config;

    @Option(
            names = "--watch",
            description = "Apply the file of --config again whenever it has changed. An invalid one changes nothing and"
                    + " is logged.")
    private boolean watch;

    @Option(
            names = "--health-path",
            paramLabel = "<path>",
            defaultValue = "/v1/health",
            description = "The path of a worker's health endpoint; any 2xx is healthy (default: ${DEFAULT-VALUE}).")
    private String healthPath;

    @Option(
            names = "--shutdown-path",
            paramLabel = "<path>",
            defaultValue = "/v1/admin/shutdown",
            description =
                    "The path of a worker's shutdown endpoint, called before SIGTERM; without it SIGTERM is sent at"
                            + " once (default: ${DEFAULT-VALUE}).")
    private String shutdownPath;

    @Option(
            names = "--health-interval",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "Time between two health checks of a worker (default: 30s).")
    private Duration healthInterval;

    @Option(
            names = "--health-timeout",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "How long an answer to a health check may take"
                    + " (default: 5s, or the health interval if that is shorter).")
    private Duration healthTimeout;

    @Option(
            names = "--failure-threshold",
            paramLabel = "<count>",
            defaultValue = "3",
            description =
                    "Consecutive failed health checks after which a worker is stopped (default: ${DEFAULT-VALUE}).")
    private int failureThreshold;

    @Option(
            names = "--idle-timeout",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "How long a worker may be idle before it is stopped (default: 5m).")
    private Duration idleTimeout;

    @Option(
            names = "--idle-check",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "Time between two checks for idle workers"
                    + " (default: 60s, or a fifth of the idle timeout if that is shorter).")
    private Duration idleCheckInterval;

    @Option(
            names = "--stop-grace",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description =
                    "How long a worker that is being stopped has before it is killed (default: 10s). The shutdown of"
                            + " the hive takes no longer.")
    private Duration stopGrace;

    @Option(
            names = "--load-stall",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "How long a loading worker may print nothing before it is stopped (default: 2m). Its log of"
                    + " the hive's own health checks does not count.")
    private Duration loadStallTimeout;

    @Option(
            names = "--load-timeout",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "How long a worker may load in total, whatever its progress, before it is stopped"
                    + " (default: no limit).")
    private Duration loadTimeout;

    @Option(
            names = "--heartbeat-interval",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "Interval of heartbeats of a worker that sends them; after 3 missed ones it is stopped"
                    + " (default: 5s).")
    private Duration heartbeatInterval;

    @Option(
            names = "--busy-limit",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "How long a worker may be busy while no slot is acquired or released, before it is stopped"
                    + " (default: no limit).")
    private Duration busyTimeout;

    @Mixin
    private RestartOptions restart;

    @Mixin
    private LimitOptions limits;

    @Option(
            names = "--hive-id",
            paramLabel = "<id>",
            defaultValue = "default",
            description = "The id of this hive. Processes that an earlier run of it left running are killed"
                    + " when it starts (default: ${DEFAULT-VALUE}).")
    private String hiveId;

    @Option(
            names = "--ports",
            paramLabel = "<first>-<last>",
            defaultValue = "8100-8199",
            converter = PortRangeConverter.class,
            description = "The ports that workers may listen on (default: ${DEFAULT-VALUE}).")
    private PortPool ports;

    @Option(
            names = "--log-dir",
            paramLabel = "<directory>",
            description = "The directory of the output files <worker id>.log; created with access for this user only"
                    + " (default: a temporary directory, removed with the worker).")
    private Path logDir;

    String host() {
        return host;
    }

    int port() {
        if (port < 0 || port > MAX_PORT) {
            throw wrong("--port", "must be 0 to " + MAX_PORT + ", was " + port);
        }
        return port;
    }

    int workers() {
        if (workers == null) {
            return hasDemoModels() ? 2 : 0;
        }
        if (workers < 0) {
            throw wrong("--workers", "must be >= 0, was " + workers);
        }
        if (workers > 0 && template().uses("model_path")) {
            throw wrong("--workers", "must be 0 if --worker-command has {model_path}: no model is given");
        }
        return workers;
    }

    /** Whether workers are bundled demo workers. */
    boolean isDemo() {
        return workerCommand == null;
    }

    /** Whether the models are those of {@link DemoConfig}. */
    boolean hasDemoModels() {
        return isDemo() && config == null;
    }

    CommandTemplate template() {
        return isDemo() ? CommandTemplate.demoWorker() : workerCommand;
    }

    Optional<Path> config() {
        return Optional.ofNullable(config);
    }

    boolean watch() {
        if (watch && config == null) {
            throw wrong("--watch", "needs --config");
        }
        return watch;
    }

    String healthPath() {
        return requirePath("--health-path", healthPath);
    }

    String shutdownPath() {
        return requirePath("--shutdown-path", shutdownPath);
    }

    RestartPolicy restart() {
        restart.limit().filter(limit -> limit < 1).ifPresent(limit -> {
            throw wrong("--restart-limit", "must be >= 1, was " + limit);
        });
        try {
            return restart.policy();
        } catch (IllegalArgumentException e) { // each value is valid; the combination is not
            throw wrong(String.join("', '", restart.given()), e.getMessage());
        }
    }

    LimitOptions limits() {
        return limits;
    }

    String hiveId() {
        try {
            return ForeignText.requireName(hiveId, "it");
        } catch (IllegalArgumentException e) {
            throw wrong("--hive-id", e.getMessage());
        }
    }

    PortPool ports() {
        return ports;
    }

    Optional<Path> logDir() {
        if (logDir != null && logDir.toString().isEmpty()) {
            throw wrong("--log-dir", "must not be empty");
        }
        return Optional.ofNullable(logDir);
    }

    /** Only given options are set: the library's defaults depend on each other. */
    LifecycleConfig lifecycle() {
        if (failureThreshold < 1) {
            throw wrong("--failure-threshold", "must be >= 1, was " + failureThreshold);
        }
        LifecycleConfig.Builder config = LifecycleConfig.builder().failureThreshold(failureThreshold);
        ifGiven(healthInterval, config::healthInterval);
        ifGiven(healthTimeout, config::healthTimeout);
        ifGiven(idleTimeout, config::idleTimeout);
        ifGiven(idleCheckInterval, config::idleCheckInterval);
        ifGiven(stopGrace, config::stopGrace);
        ifGiven(loadStallTimeout, config::loadStallTimeout);
        ifGiven(loadTimeout, config::loadTimeout);
        ifGiven(heartbeatInterval, config::heartbeatInterval);
        ifGiven(busyTimeout, config::busyTimeout);
        try {
            return config.build();
        } catch (IllegalArgumentException e) { // each value is valid; the combination is not
            throw wrong("--health-timeout", "must not be longer than --health-interval");
        }
    }

    ParameterException wrong(String option, String why) {
        return new ParameterException(command.commandLine(), "Invalid value for option '" + option + "': " + why);
    }

    private String requirePath(String option, String path) {
        if (!path.matches("/[!-~]*")) {
            throw wrong(option, "must start with / and have no blanks, was '" + path + "'");
        }
        try {
            new URI("http://127.0.0.1" + path);
        } catch (URISyntaxException e) {
            throw wrong(option, "must form a valid URI, was '" + path + "': " + e.getReason());
        }
        return path;
    }

    static <T> void ifGiven(T value, Consumer<T> setting) {
        if (value != null) {
            setting.accept(value);
        }
    }
}
