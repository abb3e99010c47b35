package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.process.InheritedEnvironment;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class SpawnTest {

    private final VirtualHive hive = new VirtualHive();

    @Test
    void aSupervisorInALogTellsItsProcessesAndWorkersAndNothingOfTheirCommands() {
        VirtualHive hive = new VirtualHive();
        hive.spawnReady();
        String gone = hive.spawnReady();
        UnexpectedWarnings.expect("is gone: CRASHED");
        hive.processes.exit(gone, 1);

        assertThat(hive.supervisor)
                .hasToString("WorkerSupervisor[processes: 1, WorkerRegistry[node local, workers: 1 idle]]");
    }

    @Test
    void aSpawnedWorkerIsLoadingAndHasItsPidBeforeSpawnReturns() {
        WorkerInfo worker = hive.supervisor.spawn(VirtualHive.SPEC);

        assertThat(worker.state()).isEqualTo(new Loading(hive.time.instant()));
        assertThat(worker.pid()).hasValue(1001);
        assertThat(hive.registry.get(worker.id())).hasValue(worker);
        assertThat(hive.processes.running()).containsExactly(worker.id());
    }

    @Test
    void theRecordCarriesWhatTheSpecSays() {
        WorkerInfo worker = hive.supervisor.spawn(WorkerSpec.builder()
                .id("w1")
                .modelRef("hf:tiny")
                .backend("cuda")
                .device(3)
                .slots(4)
                .command("serve")
                .url("http://127.0.0.1:9/{id}")
                .directory(Path.of("/models"))
                .build());

        assertThat(worker)
                .extracting(
                        WorkerInfo::id,
                        WorkerInfo::modelRef,
                        WorkerInfo::backend,
                        WorkerInfo::device,
                        WorkerInfo::slotsTotal,
                        WorkerInfo::url)
                .containsExactly("w1", "hf:tiny", "cuda", 3, 4, "http://127.0.0.1:9/w1");
        assertThat(hive.processes.specOf("w1").directory()).hasValue(Path.of("/models"));
    }

    @Test
    void placeholdersAreFilledOnceEachInItsOwnArgument() {
        PortRange ports = FreePorts.range(3);
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
    void aPortIsTakenAlsoIfOnlyTheCommandNamesIt() {
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
                .environment("WORKER_BACKEND", "the host's own word wins")
                .build());

        assertThat(hive.processes.specOf("w1").environment())
                .containsAllEntriesOf(Map.of(
                        "WORKER_ID", "w1",
                        "WORKER_GENERATION", "1",
                        "WORKER_MODEL_REF", "tiny",
                        "WORKER_DEVICE", "0",
                        "WORKER_SLOTS", "1",
                        "WORKER_MODEL_PATH", "/m",
                        "WORKER_BACKEND", "the host's own word wins"))
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

    @Test
    void aSpawnThatFailsLeavesNothingBehind() {
        PortRange ports = FreePorts.range(1);
        VirtualHive hive = new VirtualHive(builder -> builder.ports(ports));
        WorkerSpec spec =
                WorkerSpec.builder().id("w1").modelRef("tiny").command("serve").build();
        hive.processes.failNextStart("no such file");

        assertThatThrownBy(() -> hive.supervisor.spawn(spec))
                .isInstanceOf(SpawnException.class)
                .hasMessage("cannot start serve: no such file");

        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.heard.events().get(1))
                .isInstanceOfSatisfying(
                        WorkerEvent.Removed.class,
                        removed -> assertThat(removed.reason()).isEqualTo(Exit.Cause.START_FAILED));
        hive.supervisor.spawn(spec); // the only port of the range and the id are free again
    }

    @Test
    void aControllerThatThrowsAnythingOrReturnsNothingIsASpawnFailure() {
        AtomicReference<Throwable> toThrow = new AtomicReference<>(new OutOfMemoryError("no memory"));
        VirtualHive hive = new VirtualHive(builder -> builder.processes(spec -> {
            Throwable t = toThrow.get();
            if (t instanceof Error e) {
                throw e;
            }
            return null;
        }));

        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("no memory");
        toThrow.set(null);
        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("null");
        assertThat(hive.registry.list()).isEmpty();
    }

    /** What was put together after the record was registered left the record for ever if it failed. */
    @Test
    void whatIsNoneOnceItIsFilledLeavesNothingBehind() {
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

    /** The worker was seen by a shutdown, never started, and the report never came. */
    @Test
    void aShutdownThatAListenerCallsWhileAWorkerIsRegisteredComesToItsEnd() {
        AtomicReference<CompletionStage<ShutdownReport>> report = new AtomicReference<>();
        hive.registry.subscribe(
                event -> {
                    if (event instanceof WorkerEvent.Registered) {
                        report.set(hive.supervisor.shutdown(java.time.Duration.ofSeconds(1)));
                    }
                },
                Runnable::run);

        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC)).isInstanceOf(IllegalStateException.class);

        assertThat(report.get().toCompletableFuture()).isCompleted();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.starts()).isZero();
    }

    @Test
    void anIdThatIsTakenIsRefusedAndTheOwnerStays() {
        WorkerSpec spec = WorkerSpec.builder()
                .id("w1")
                .modelRef("tiny")
                .command("serve")
                .url("http://fake")
                .build();
        WorkerInfo owner = hive.supervisor.spawn(spec);

        assertThatThrownBy(() -> hive.supervisor.spawn(spec))
                .isInstanceOf(DuplicateWorkerException.class)
                .hasMessageContaining("w1");

        assertThat(hive.registry.list()).containsExactly(owner);
        assertThat(hive.processes.starts()).isEqualTo(1);
        hive.supervisor.stop("w1");
        assertThat(hive.isGone("w1")).isTrue();
    }

    /** The process would have run on, and nobody would have known of it. */
    @Test
    void anIdWhoseProcessStillRunsIsRefusedThoughItsRecordHasGone() {
        hive.spawnReady("w1");
        hive.registry.remove("w1");

        assertThatThrownBy(() -> hive.spawnReady("w1")).isInstanceOf(DuplicateWorkerException.class);

        assertThat(hive.processes.starts()).isEqualTo(1);
        hive.advance(Duration.ofMillis(100));
        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void anIdThatTheHostRegisteredItselfIsRefusedToo() {
        WorkerInfo hosts =
                WorkerInfo.builder().id("w1").url("http://x").modelRef("m").build();
        hive.registry.register(hosts);

        assertThatThrownBy(() -> hive.supervisor.spawn(WorkerSpec.builder()
                        .id("w1")
                        .modelRef("tiny")
                        .command("serve")
                        .url("http://fake")
                        .build()))
                .isInstanceOf(DuplicateWorkerException.class);

        assertThat(hive.registry.get("w1")).hasValue(hosts);
        assertThat(hive.processes.starts()).isZero();
    }

    @Test
    void aWorkerThatCallsBackBeforeItsStartReturnsIsReady() {
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.processes(spec -> {
            assertThat(self.get().supervisor.ready(spec.workerId())).isTrue();
            return self.get().processes.start(spec);
        }));
        self.set(hive);

        WorkerInfo worker = hive.supervisor.spawn(VirtualHive.SPEC);

        assertThat(worker.state()).isEqualTo(new Idle());
        assertThat(worker.pid()).isPresent();
    }

    @Test
    void aWorkerStoppedWhileItStartsIsEndedAsSoonAsItIsThere() {
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        AtomicReference<CompletionStage<?>> stopped = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.processes(spec -> {
            stopped.set(self.get().supervisor.stop(spec.workerId()));
            return self.get().processes.start(spec);
        }));
        self.set(hive);

        WorkerInfo worker = hive.supervisor.spawn(VirtualHive.SPEC);

        assertThat(hive.isGone(worker.id())).isTrue();
        assertThat(hive.processes.running()).isEmpty();
        assertThat(stopped.get().toCompletableFuture()).isCompleted();
    }

    @Test
    void aSpawnWhoseRecordTheHostRemovesMeanwhileStillTellsWhatItHasStarted() {
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.processes(spec -> {
            self.get().registry.remove(spec.workerId());
            return self.get().processes.start(spec);
        }));
        self.set(hive);

        WorkerInfo worker = hive.supervisor.spawn(VirtualHive.SPEC);
        hive.advance(Duration.ofMillis(100));

        assertThat(worker.pid()).isPresent();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void whoStopsAWorkerThatNeverStartsHearsOfIt() {
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        AtomicReference<CompletionStage<?>> stopped = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.processes(spec -> {
            stopped.set(self.get().supervisor.stop(spec.workerId()));
            throw new SpawnException(spec.command(), "no", null);
        }));
        self.set(hive);

        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC)).isInstanceOf(SpawnException.class);

        assertThat(hive.registry.list()).isEmpty();
        assertThatThrownBy(() -> stopped.get().toCompletableFuture().join())
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(SpawnException.class);
    }

    @Test
    void portsAreTakenForAWorkersLifeAndGivenBackAtItsEnd() {
        PortRange ports = FreePorts.range(2);
        VirtualHive hive = new VirtualHive(builder -> builder.ports(ports));
        WorkerSpec spec = WorkerSpec.builder().modelRef("tiny").command("serve").build();
        List<WorkerInfo> both = List.of(hive.supervisor.spawn(spec), hive.supervisor.spawn(spec));
        assertThat(both).extracting(WorkerInfo::url).doesNotHaveDuplicates();

        assertThatThrownBy(() -> hive.supervisor.spawn(spec))
                .isInstanceOf(PortsExhaustedException.class)
                .hasMessageContaining(ports.toString())
                .hasMessageContaining("2 taken");
        hive.processes.exit(both.get(0).id(), 0);

        assertThat(hive.supervisor.spawn(spec).url()).isEqualTo(both.get(0).url());
    }

    /** All workers computed on device 0: {@code CUDA_VISIBLE_DEVICES={device}} reached them as it was written. */
    @Test
    void placeholdersAreFilledInEnvironmentAndDirectoryToo() {
        PortRange ports = FreePorts.range(1);
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

    @Test
    void whatIsInheritedReachesTheController() {
        PortRange ports = FreePorts.range(1);
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

    /** A hive that is a worker itself has a WORKER_PORT, and its workers without a port took that for their own. */
    @Test
    void aWorkerWithoutAPortDoesNotInheritThatOfItsHive() {
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

    @Test
    void anIdNamesTheModelUnlessTheSpecNamesOne() {
        assertThat(VirtualHive.SPEC.id()).isEqualTo(Optional.empty());
        assertThat(hive.supervisor.spawn(VirtualHive.SPEC).id()).isEqualTo("tiny-1");
        assertThat(hive.supervisor.spawn(VirtualHive.SPEC).id()).isEqualTo("tiny-2");
    }

    @Test
    void anIdIsNotGivenAgainWhenItsWorkerHasGone() {
        String first = hive.supervisor.spawn(VirtualHive.SPEC).id();
        hive.supervisor.stop(first);
        assertThat(hive.isGone(first)).isTrue();

        assertThat(hive.supervisor.spawn(VirtualHive.SPEC).id()).isNotEqualTo(first);
    }

    @Test
    void anIdThatIsRegisteredOrStillRunsIsNotGiven() {
        hive.registry.register(
                WorkerInfo.builder().id("tiny-1").url("http://x").modelRef("m").build());
        hive.spawnReady("tiny-2");
        hive.registry.remove("tiny-2"); // its process still runs

        assertThat(hive.supervisor.spawn(VirtualHive.SPEC).id()).isEqualTo("tiny-3");
    }

    /** The other supervisor registers the id after this one has looked. */
    @Test
    void anIdThatIsTakenAtTheSameMomentIsGivenUpForTheNext() {
        AtomicReference<WorkerRegistry> overtaken = new AtomicReference<>();
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock(() -> {
                    WorkerRegistry before = overtaken.getAndSet(null);
                    if (before != null) {
                        before.register(WorkerInfo.builder()
                                .id("tiny-1")
                                .url("http://x")
                                .modelRef("m")
                                .build());
                    }
                    return hive.time.instant();
                })
                .build();
        PortRange onlyOne = FreePorts.range(1);
        try (WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, hive.time)
                .processes(hive.processes)
                .ports(onlyOne)
                .build()) {
            overtaken.set(registry);

            WorkerInfo worker = supervisor.spawn(
                    WorkerSpec.builder().modelRef("tiny").command("serve").build());

            assertThat(worker.id()).isEqualTo("tiny-2");
            assertThat(hive.processes.running()).containsExactly("tiny-2");
        }
    }

    @Test
    void twoSupervisorsOfOneRegistryGiveDifferentIds() {
        try (WorkerSupervisor other = WorkerSupervisor.builder(hive.registry, hive.time)
                .processes(hive.processes)
                .build()) {
            List<String> ids = Stream.of(hive.supervisor, other, other, hive.supervisor)
                    .map(supervisor -> supervisor.spawn(VirtualHive.SPEC).id())
                    .toList();

            assertThat(ids).doesNotHaveDuplicates().allMatch(id -> id.startsWith("tiny-"));
        }
    }
}
