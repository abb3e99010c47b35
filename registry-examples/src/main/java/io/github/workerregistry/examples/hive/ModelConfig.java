package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.config.Faults;
import io.github.workerregistry.examples.config.Section;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.StopRequest;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.pool.ModelSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Reads a model of the configuration. Equal sections give equal specs, also later, so that a file that is read again
 * replaces no worker that it did not change.
 */
final class ModelConfig {

    private static final long MOST = 1_000_000_000_000L;
    private static final int MOST_SLOTS = 65_536;
    private static final int MOST_WORKERS = 10_000;

    private final LifecycleConfig lifecycle;
    private final String workersUrl;
    private final Function<String, HealthProbe> probeAt;
    private final Function<String, StopRequest> stopAt;
    private final ConcurrentMap<String, HealthProbe> probes = new ConcurrentHashMap<>();
    private final ConcurrentMap<String, StopRequest> stops = new ConcurrentHashMap<>();

    /**
     * Creates a reader.
     *
     * @param lifecycle applies where a model sets nothing
     * @param workersUrl the url of this hive's worker endpoints
     * @param probeAt the health probe for a path
     * @param stopAt the stop request for a path
     */
    ModelConfig(
            LifecycleConfig lifecycle,
            String workersUrl,
            Function<String, HealthProbe> probeAt,
            Function<String, StopRequest> stopAt) {
        this.lifecycle = lifecycle;
        this.workersUrl = workersUrl;
        this.probeAt = probeAt;
        this.stopAt = stopAt;
    }

    /** Reads a model; empty if it has a fault. */
    Optional<ModelSpec> read(String name, Section section, Faults faults) {
        try {
            ModelSpec.Builder model = ModelSpec.builder(name).worker(worker(section));
            section.texts("aliases").forEach(model::alias);
            section.text("backend").ifPresent(model::backend);
            section.number("units", 0, MOST).ifPresent(model::units);
            number(section, "min_workers", 0, MOST_WORKERS, model::minWorkers);
            number(section, "max_workers", 1, MOST_WORKERS, model::maxWorkers);
            section.duration("min_residency").ifPresent(model::minResidency);
            section.duration("scale_up_delay").ifPresent(model::scaleUpDelay);
            section.duration("eviction_drain").ifPresent(model::evictionDrainTimeout);
            section.flag("evictable").ifPresent(model::evictable);
            number(section, "spanning", 1, MOST_WORKERS, model::spanning);
            List<String> devices = section.texts("devices");
            if (devices.stream().allMatch(device -> device.matches("\\d{1,4}"))) {
                if (!devices.isEmpty()) {
                    model.devices(devices.stream().mapToInt(Integer::parseInt).toArray());
                }
            } else {
                section.fault("devices", "must be the indices of devices");
            }
            section.refuseOthers();
            return Optional.of(model.build());
        } catch (IllegalArgumentException e) {
            faults.add(section.line(), String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private WorkerSpec.Builder worker(Section section) {
        WorkerSpec.Builder worker =
                WorkerSpec.builder().command(command(section)).lifecycle(lifecycle(section));
        number(section, "slots", 1, MOST_SLOTS, worker::slots);
        section.text("url").ifPresent(worker::url);
        section.text("directory").map(Path::of).ifPresent(worker::directory);
        section.text("health_path").ifPresent(path -> worker.healthProbe(probes.computeIfAbsent(path, probeAt)));
        section.text("shutdown_path").ifPresent(path -> worker.stopRequest(stops.computeIfAbsent(path, stopAt)));
        section.section("environment").texts().forEach(worker::environment);
        List<String> inherited = section.texts("inherit_environment");
        if (section.isList("inherit_environment")) {
            worker.inheritEnvironment(inherited.toArray(String[]::new));
        }
        return worker;
    }

    /** A list of arguments; or a text, split as a shell does it. */
    private List<String> command(Section section) {
        List<String> arguments = List.of();
        if (section.isList("command")) {
            arguments = section.texts("command");
        } else {
            arguments = section.text("command").map(ArgumentSplitter::split).orElse(List.of());
        }
        if (arguments.isEmpty()) {
            section.fault("command", "is missing");
            return List.of("none", "{port}");
        }
        return arguments.stream()
                .map(argument -> argument.replace("{callback_url}", workersUrl + "/ready")
                        .replace("{heartbeat_url}", workersUrl + "/{id}/heartbeat")
                        .replace(
                                "{heartbeat_ms}",
                                Long.toString(lifecycle.heartbeatInterval().toMillis())))
                .toList();
    }

    private LifecycleConfig lifecycle(Section section) {
        LifecycleConfig.Builder config = lifecycle.toBuilder();
        section.duration("idle_timeout").ifPresent(config::idleTimeout);
        section.duration("load_timeout").ifPresent(config::loadTimeout);
        section.duration("load_stall").ifPresent(config::loadStallTimeout);
        section.duration("health_interval").ifPresent(config::healthInterval);
        section.duration("health_timeout").ifPresent(config::healthTimeout);
        section.duration("drain_timeout").ifPresent(config::drainTimeout);
        section.duration("stop_grace").ifPresent(config::stopGrace);
        return config.build();
    }

    private static void number(Section section, String key, int least, int most, Consumer<Integer> setting) {
        section.number(key, least, most).ifPresent(number -> setting.accept(number.intValue()));
    }
}
