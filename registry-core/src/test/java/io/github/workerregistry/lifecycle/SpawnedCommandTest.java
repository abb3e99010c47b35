package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.InheritedEnvironment;
import io.github.workerregistry.process.ProcessSpec;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Command, environment and directory of a spawned process: placeholders, and variables that it inherits. */
@ExtendWith(UnexpectedWarnings.class)
class SpawnedCommandTest {

    private final VirtualHive hive = new VirtualHive();

    @Test
    void placeholdersAreFilledOncePerArgument() {
        PortPool ports = FreePorts.range(3);
        VirtualHive hive = new VirtualHive(builder -> builder.ports(ports));
        hive.supervisor.spawn(WorkerSpec.builder()
                .id("w1")
                .modelRef("a b; rm -rf {model_path} \"")
                .command(
                        "serve",
                        "--model={model_ref}",
                        "--port",
                        "{port}",
                        "{model_path}",
                        "{device}/{backend}/{slots}")
                .parameter("model_path", "/models/{port}")
                .build());

        ProcessSpec started = hive.processes.specOf("w1");
        String port = started.environment().get("WORKER_PORT");
        assertThat(started.command())
                .containsExactly(
                        "serve", "--model=a b; rm -rf {model_path} \"", "--port", port, "/models/{port}", "0/cpu/1");
        assertThat(hive.worker("w1").url()).isEqualTo("http://127.0.0.1:" + port);
    }

    @Test
    void aPortIsAcquiredIfOnlyTheCommandNamesIt() {
        hive.supervisor.spawn(WorkerSpec.builder()
                .id("w1")
                .modelRef("tiny")
                .command("serve", "--port={port}")
                .url("http://proxy")
                .build());

        assertThat(hive.processes.specOf("w1").command().get(1)).matches("--port=[0-9]+");
    }

    @Test
    void theSameValuesAreInTheEnvironment() {
        hive.supervisor.spawn(WorkerSpec.builder()
                .id("w1")
                .modelRef("tiny")
                .command("serve")
                .url("http://fake")
                .parameter("model_path", "/m")
                .environment("WORKER_BACKEND", "the hive's own value wins")
                .build());

        assertThat(hive.processes.specOf("w1").environment())
                .containsAllEntriesOf(Map.of(
                        "WORKER_ID", "w1",
                        "WORKER_GENERATION", "1",
                        "WORKER_MODEL_REF", "tiny",
                        "WORKER_DEVICE", "0",
                        "WORKER_SLOTS", "1",
                        "WORKER_MODEL_PATH", "/m",
                        "WORKER_BACKEND", "the hive's own value wins"))
                .doesNotContainKey("WORKER_PORT");
    }

    @Test
    void aPlaceholderWithoutAValueIsRefusedByName() {
        assertThatThrownBy(() -> WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("serve", "{model_path}")
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("{model_path}");
    }

    /**
     * Regression: all workers computed on device 0, because {@code CUDA_VISIBLE_DEVICES={device}} was passed unfilled.
     */
    @Test
    void placeholdersAreFilledInEnvironmentAndDirectory() {
        PortPool ports = FreePorts.range(1);
        VirtualHive hive = new VirtualHive(builder -> builder.ports(ports));
        hive.supervisor.spawn(WorkerSpec.builder()
                .id("w1")
                .modelRef("tiny")
                .device(3)
                .command("serve")
                .url("http://proxy")
                .environment("CUDA_VISIBLE_DEVICES", "{device}")
                .environment("ADDRESS", "0.0.0.0:{port} {{port}}")
                .directory(Path.of("/models/{model_ref}/{id}"))
                .build());

        ProcessSpec started = hive.processes.specOf("w1");
        assertThat(started.environment())
                .containsEntry("CUDA_VISIBLE_DEVICES", "3")
                .containsEntry("ADDRESS", "0.0.0.0:" + started.environment().get("WORKER_PORT") + " {port}");
        assertThat(started.directory()).hasValue(Path.of("/models/tiny/w1"));
    }

    /** Regression: a failure after the registration left the record. */
    @Test
    void aUrlThatIsInvalidOnceFilledLeavesNothing() {
        WorkerSpec spec = WorkerSpec.builder()
                .modelRef("tiny")
                .command("serve")
                .url("http://h/" + "x".repeat(256 - "http://h/tiny-9".length()) + "{id}")
                .build();
        for (int i = 1; i <= 9; i++) {
            hive.supervisor.stop(hive.supervisor.spawn(spec).id());
        }

        assertThatThrownBy(() -> hive.supervisor.spawn(spec)) // tiny-10 makes the url one longer than it may be
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("url");

        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.starts()).isEqualTo(9);
    }

    @Test
    void inheritedVariablesArePassedToTheController() {
        PortPool ports = FreePorts.range(1);
        VirtualHive hive = new VirtualHive(builder -> builder.ports(ports));
        hive.supervisor.spawn(WorkerSpec.builder()
                .id("w1")
                .modelRef("tiny")
                .command("serve")
                .inheritEnvironment("PATH", "HOME")
                .withoutEnvironment("HF_TOKEN")
                .build());

        assertThat(hive.processes.specOf("w1").inherited())
                .isEqualTo(new InheritedEnvironment(Optional.of(Set.of("PATH", "HOME")), Set.of("HF_TOKEN")));
    }

    /**
     * A hive that is a worker itself has a WORKER_PORT. Regression: its workers without a port used it as their own.
     */
    @Test
    void aWorkerWithoutAPortDoesNotInheritThePortOfItsHive() {
        hive.supervisor.spawn(WorkerSpec.builder()
                .id("w1")
                .modelRef("tiny")
                .command("serve")
                .url("http://h")
                .build());

        assertThat(hive.processes.specOf("w1").inherited().includes("WORKER_PORT"))
                .isFalse();
        assertThat(hive.processes.specOf("w1").inherited().includes("PATH")).isTrue();
    }
}
