package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Ids of spawned workers: which are refused, and which are generated. */
@ExtendWith(UnexpectedWarnings.class)
class SpawnedIdTest {

    private final VirtualHive hive = new VirtualHive();

    @Test
    void anIdInUseIsRefusedAndItsWorkerIsNotChanged() {
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
        assertThat(hive.isRemoved("w1")).isTrue();
    }

    /** Otherwise the old process would run on unsupervised. */
    @Test
    void anIdWhoseProcessStillRunsIsRefusedAfterTheRecordIsRemoved() {
        hive.spawnReady("w1");
        hive.registry.remove("w1");

        assertThatThrownBy(() -> hive.spawnReady("w1")).isInstanceOf(DuplicateWorkerException.class);

        assertThat(hive.processes.starts()).isEqualTo(1);
        hive.advance(Duration.ofMillis(100));
        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void aRegisteredIdIsRefused() {
        WorkerInfo own =
                WorkerInfo.builder().id("w1").url("http://x").modelRef("m").build();
        hive.registry.register(own);

        assertThatThrownBy(() -> hive.supervisor.spawn(WorkerSpec.builder()
                        .id("w1")
                        .modelRef("tiny")
                        .command("serve")
                        .url("http://fake")
                        .build()))
                .isInstanceOf(DuplicateWorkerException.class);

        assertThat(hive.registry.get("w1")).hasValue(own);
        assertThat(hive.processes.starts()).isZero();
    }

    @Test
    void aGeneratedIdContainsTheModel() {
        assertThat(VirtualHive.SPEC.id()).isEqualTo(Optional.empty());
        assertThat(hive.supervisor.spawn(VirtualHive.SPEC).id()).isEqualTo("tiny-1");
        assertThat(hive.supervisor.spawn(VirtualHive.SPEC).id()).isEqualTo("tiny-2");
    }

    @Test
    void aGeneratedIdIsNotReused() {
        String first = hive.supervisor.spawn(VirtualHive.SPEC).id();
        hive.supervisor.stop(first);
        assertThat(hive.isRemoved(first)).isTrue();

        assertThat(hive.supervisor.spawn(VirtualHive.SPEC).id()).isNotEqualTo(first);
    }

    @Test
    void aGeneratedIdIsNeitherRegisteredNorInUse() {
        hive.registry.register(
                WorkerInfo.builder().id("tiny-1").url("http://x").modelRef("m").build());
        hive.spawnReady("tiny-2");
        hive.registry.remove("tiny-2"); // its process still runs

        assertThat(hive.supervisor.spawn(VirtualHive.SPEC).id()).isEqualTo("tiny-3");
    }

    /** The other supervisor registers the id after this one has checked it. */
    @Test
    void anIdRegisteredConcurrentlyIsSkipped() {
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
        PortPool onlyOne = FreePorts.range(1);
        try (WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, hive.time)
                .processController(hive.processes)
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
    void twoSupervisorsOfOneRegistryGenerateDifferentIds() {
        try (WorkerSupervisor other = WorkerSupervisor.builder(hive.registry, hive.time)
                .processController(hive.processes)
                .build()) {
            List<String> ids = Stream.of(hive.supervisor, other, other, hive.supervisor)
                    .map(supervisor -> supervisor.spawn(VirtualHive.SPEC).id())
                    .toList();

            assertThat(ids).doesNotHaveDuplicates().allMatch(id -> id.startsWith("tiny-"));
        }
    }

    @Test
    void generatedIdIsNotGeneratedAgain() {
        VirtualHive hive = new VirtualHive();
        String id = hive.supervisor.access().newId(VirtualHive.SPEC.modelRef());

        assertThat(id).startsWith("tiny-");
        assertThat(hive.supervisor.spawn(VirtualHive.SPEC).id()).isNotEqualTo(id);
    }
}
