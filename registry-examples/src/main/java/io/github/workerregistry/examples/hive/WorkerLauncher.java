package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.lifecycle.PortsExhaustedException;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.SpawnException;

/** Starts workers from the one command template that this hive has. */
final class WorkerLauncher {

    private static final String MODEL_PATH = "model_path";

    private final WorkerSupervisor supervisor;
    private final CommandTemplate template;
    private final String callbackUrl;

    WorkerLauncher(WorkerSupervisor supervisor, CommandTemplate template, String callbackUrl) {
        this.supervisor = supervisor;
        this.template = template;
        this.callbackUrl = callbackUrl;
    }

    /**
     * Starts one.
     *
     * @throws Refusal if that is not possible
     */
    WorkerInfo spawn(SpawnRequest request) {
        if (template.uses(MODEL_PATH) && request.modelPath().isEmpty()) {
            throw Refusal.invalid("model_path is missing; the hive's worker command needs it");
        }
        WorkerSpec.Builder spec = WorkerSpec.builder()
                .modelRef(request.modelRef())
                .backend(request.backend())
                .device(request.device())
                .slots(request.slots())
                .command(template.arguments())
                .parameter("callback_url", callbackUrl);
        request.modelPath().ifPresent(path -> spec.parameter(MODEL_PATH, path));
        try {
            return supervisor.spawn(spec.build());
        } catch (SpawnException e) {
            throw new Refusal(500, "spawn_failed", e.getMessage());
        } catch (PortsExhaustedException e) {
            throw Refusal.later("no_free_port", e.getMessage());
        } catch (IllegalStateException e) {
            throw Refusal.later("shutting_down", "the hive is shutting down");
        }
    }
}
