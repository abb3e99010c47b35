package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.process.SpawnException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Spawns: the record, the start of the process, and what a failed spawn leaves. */
@ExtendWith(UnexpectedWarnings.class)
class SpawnTest {

    private final VirtualHive hive = new VirtualHive();

    @Test
    void toStringNamesProcessesAndWorkersWithoutTheirCommands() {
        VirtualHive hive = new VirtualHive();
        hive.spawnReady();
        String crashed = hive.spawnReady();
        UnexpectedWarnings.expect(Warnings.CRASHED);
        hive.processes.exit(crashed, 1);

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
    void theRecordHasTheValuesOfTheSpec() {
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
    void aFailedSpawnLeavesNothing() {
        PortPool ports = FreePorts.range(1);
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
                        removed -> assertThat(removed.cause()).isEqualTo(Exit.Cause.START_FAILED));
        hive.supervisor.spawn(spec); // the only port of the range and the id are free again
    }

    @Test
    void aControllerThatThrowsAnErrorOrReturnsNullIsASpawnFailure() {
        AtomicReference<Throwable> toThrow = new AtomicReference<>(new OutOfMemoryError("no memory"));
        VirtualHive hive = new VirtualHive(builder -> builder.processController(spec -> {
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

    /** Regression: the shutdown waited for the worker, which was never started, and the report never completed. */
    @Test
    void aShutdownCalledOnRegisteredCompletes() {
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
    void aCallBackBeforeTheStartReturnsMakesTheWorkerReady() {
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
            assertThat(self.supervisor.reportReady(spec.workerId())).isTrue();
            return self.processes.start(spec);
        }));

        WorkerInfo worker = hive.supervisor.spawn(VirtualHive.SPEC);

        assertThat(worker.state()).isEqualTo(new Idle());
        assertThat(worker.pid()).isPresent();
    }

    @Test
    void aWorkerStoppedDuringItsStartIsTerminatedOnceStarted() {
        AtomicReference<CompletionStage<?>> stopped = new AtomicReference<>();
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
            stopped.set(self.supervisor.stop(spec.workerId()));
            return self.processes.start(spec);
        }));

        WorkerInfo worker = hive.supervisor.spawn(VirtualHive.SPEC);

        assertThat(hive.isRemoved(worker.id())).isTrue();
        assertThat(hive.processes.running()).isEmpty();
        assertThat(stopped.get().toCompletableFuture()).isCompleted();
    }

    @Test
    void aSpawnWhoseRecordIsRemovedStillReturnsThePid() {
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
            self.registry.remove(spec.workerId());
            return self.processes.start(spec);
        }));

        WorkerInfo worker = hive.supervisor.spawn(VirtualHive.SPEC);
        hive.advance(Duration.ofMillis(100));

        assertThat(worker.pid()).isPresent();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void aStopDuringAFailingSpawnFails() {
        AtomicReference<CompletionStage<?>> stopped = new AtomicReference<>();
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
            stopped.set(self.supervisor.stop(spec.workerId()));
            throw new SpawnException(spec.command(), "no", null);
        }));

        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC)).isInstanceOf(SpawnException.class);

        assertThat(hive.registry.list()).isEmpty();
        assertThatThrownBy(() -> stopped.get().toCompletableFuture().join())
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(SpawnException.class);
    }

    @Test
    void aPortIsAcquiredAtTheSpawnAndReleasedAtTheExit() {
        PortPool ports = FreePorts.range(2);
        VirtualHive hive = new VirtualHive(builder -> builder.ports(ports));
        WorkerSpec spec = WorkerSpec.builder().modelRef("tiny").command("serve").build();
        List<WorkerInfo> both = List.of(hive.supervisor.spawn(spec), hive.supervisor.spawn(spec));
        assertThat(both).extracting(WorkerInfo::url).doesNotHaveDuplicates();

        assertThatThrownBy(() -> hive.supervisor.spawn(spec))
                .isInstanceOf(PortsExhaustedException.class)
                .hasMessageContaining(ports.toString())
                .hasMessageContaining("2 acquired");
        hive.processes.exit(both.get(0).id(), 0);

        assertThat(hive.supervisor.spawn(spec).url()).isEqualTo(both.get(0).url());
    }

    @Test
    void aHeldWorkerIsNotLeasedBeforeTheHiveSaysSoEvenIfItIsReadyAtOnce() {
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
            assertThat(self.supervisor.reportReady(spec.workerId())).isTrue();
            return self.processes.start(spec);
        }));
        WorkerInfo worker = hive.supervisor.access().spawnHeld(VirtualHive.SPEC);

        assertThat(hive.registry.get(worker.id()).orElseThrow().state()).isEqualTo(new Idle());
        assertThat(hive.registry.tryAcquire(worker.modelRef())).isEmpty();
        assertThat(hive.registry.supervision().beginLeasing(worker.incarnation()))
                .isTrue();
        assertThat(hive.registry.tryAcquire(worker.modelRef())).isPresent();
    }

    /** Its exit was followed by a tick only, with a WARN: it was to become ready while it was stopping. */
    @Test
    void aWorkerThatCallsBackAndIsStoppedDuringItsStartIsStopped() {
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
            assertThat(self.supervisor.reportReady(spec.workerId())).isTrue();
            self.supervisor.stop(spec.workerId());
            return self.processes.start(spec);
        }));
        WorkerInfo worker = hive.supervisor.spawn(VirtualHive.SPEC);

        assertThat(worker.pid()).isPresent();
        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.running()).isEmpty();
    }
}
