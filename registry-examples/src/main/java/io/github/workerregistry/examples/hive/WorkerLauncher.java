package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.lifecycle.PortsExhaustedException;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.SpawnException;
import java.time.Duration;
import java.util.UUID;

/** Starts workers from the command template of this hive. */
final class WorkerLauncher {

    private static final String MODEL_PATH = "model_path";

    private final WorkerSupervisor supervisor;
    private final CommandTemplate template;
    private final String workersUrl;
    private final Duration heartbeatInterval;
    private final ModelsDirectory models;

    /**
     * Creates a launcher.
     *
     * @param workersUrl the url of this hive's worker endpoints, for example {@code http://127.0.0.1:8081/v1/workers}
     * @param heartbeatInterval the heartbeat interval of workers that send heartbeats
     * @param models where the files of models are
     */
    WorkerLauncher(
            WorkerSupervisor supervisor,
            CommandTemplate template,
            String workersUrl,
            Duration heartbeatInterval,
            ModelsDirectory models) {
        this.supervisor = supervisor;
        this.template = template;
        this.workersUrl = workersUrl;
        this.heartbeatInterval = heartbeatInterval;
        this.models = models;
    }

    /**
     * Starts a worker.
     *
     * @throws Refusal if that is not possible
     */
    WorkerInfo spawn(SpawnRequest request) {
        if (template.uses(MODEL_PATH) && request.modelPath().isEmpty()) {
            throw Refusal.invalid("model_path is missing; the hive's worker command needs it");
        }
        String id = UUID.randomUUID().toString();
        WorkerSpec.Builder spec = WorkerSpec.builder()
                .id(id)
                .modelRef(request.modelRef())
                .backend(request.backend())
                .device(request.device())
                .slots(request.slots())
                .command(template.arguments())
                .parameter("callback_url", workersUrl + "/ready")
                .parameter("heartbeat_url", workersUrl + "/" + id + "/heartbeat")
                .parameter("heartbeat_ms", Long.toString(heartbeatInterval.toMillis()));
        request.modelPath().ifPresent(path -> spec.parameter(MODEL_PATH, models.require(path)));
        try {
            return supervisor.spawn(spec.build());
        } catch (SpawnException e) {
            throw new Refusal(500, "spawn_failed", e.getMessage());
        } catch (PortsExhaustedException e) {
            throw Refusal.later("no_free_port", e.getMessage());
        } catch (IllegalArgumentException e) { // the locale of the hive cannot encode it
            throw Refusal.invalid(String.valueOf(e.getMessage()));
        } catch (IllegalStateException e) {
            throw Refusal.later("shutting_down", "the hive is shutting down");
        }
    }
}
