package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.StressTasks.times;
import static io.github.workerregistry.StressTasks.until;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Threads that register, remove, change and read the same workers. Bounded by counts, not by time. */
@ExtendWith(UnexpectedWarnings.class)
class RegistryStressTest {

    private static final int THREADS = 4;

    private final ManyThreads threads = new ManyThreads();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().eventQueueCapacity(1_000_000).build();

    @AfterEach
    void endThreads() {
        threads.close();
    }

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    @Test
    void exactlyOneOfManyRegistrationsOfAnIdSucceeds() throws Exception {
        for (int round = 0; round < 1_000; round++) {
            List<Optional<WorkerInfo>> won = threads.results(THREADS, thread -> () -> {
                WorkerInfo worker = idle("w", thread + 1);
                try {
                    registry.register(worker);
                    return Optional.of(worker);
                } catch (DuplicateWorkerException e) {
                    return Optional.empty();
                }
            });

            assertThat(won).filteredOn(Optional::isPresent).hasSize(1).containsExactly(registry.get("w"));
            assertThat(registry.list()).hasSize(1);
            registry.remove("w");
        }
        assertThat(registry.stats().registered()).isEqualTo(1_000);
    }

    @Test
    void exactlyOneOfManyRemovalsReturnsTheWorker() throws Exception {
        for (int round = 0; round < 500; round++) {
            WorkerInfo worker = idle("w", 1);
            registry.register(worker);

            List<Optional<WorkerInfo>> won = threads.together(
                    () -> registry.remove("w"),
                    () -> registry.supervision().removeIfUnchanged(worker, StopReason.REQUESTED),
                    () -> registry.clear().stream().findFirst());

            assertThat(won).filteredOn(Optional::isPresent).containsExactly(Optional.of(worker));
        }
    }

    @Test
    void listIsAnAtomicSnapshot() throws Exception {
        List<String> ids = List.of("a", "b", "c", "d", "e");
        AtomicBoolean done = new AtomicBoolean();

        threads.together(
                times(20_000, done, () -> {
                    ids.forEach(id -> registry.register(loading(id)));
                    registry.clear();
                }),
                until(done, () -> {
                    List<String> seen =
                            registry.list().stream().map(WorkerInfo::id).toList();
                    assertThat(seen).isEqualTo(ids.subList(0, seen.size()));
                    assertThat(registry.stats().workers()).isBetween(0, 5);
                }));
    }

    /** The next worker is registered before the previous one is removed, so that every snapshot contains one. */
    @Test
    void listAlwaysContainsAWorkerDuringReplacements() throws Exception {
        registry.register(idle("a", 1));
        AtomicBoolean done = new AtomicBoolean();

        threads.together(
                times(20_000, done, () -> {
                    registry.register(idle("b", 1));
                    registry.remove("a");
                    registry.register(idle("a", 1));
                    registry.remove("b");
                }),
                until(done, () -> {
                    assertThat(registry.list()).hasSizeBetween(1, 2);
                    assertThat(registry.idleWorkers()).hasSizeBetween(1, 2);
                    assertThat(registry.stats().workers()).isBetween(1, 2);
                }));
    }

    @Test
    void readsFollowTheOrderOfTransitions() throws Exception {
        registry.register(idle("w", 4));
        AtomicBoolean done = new AtomicBoolean();
        Callable<Void> reader = () -> {
            long last = 0;
            while (!done.get()) {
                long phase = WorkerPhase.of(now("w"));
                assertThat(phase).isGreaterThanOrEqualTo(last);
                last = phase;
            }
            return null;
        };

        threads.together(reader, until(done, () -> registry.tryAcquireFrom("w")), times(20_000, done, () -> {
            registry.tryAcquireFrom("w");
            registry.heartbeat("w");
            registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
            registry.updateState("w", backingOff(now("w")));
            registry.updateState("w", LOADING);
            registry.updateState("w", IDLE);
        }));
    }

    /**
     * A worker may be registered again with another model, between the read of the model's index and the read of the
     * worker.
     */
    @Test
    void workerIsNeverFoundUnderAnotherModel() throws Exception {
        IntStream.range(0, 200).forEach(i -> registry.register(loading("loading" + i)));
        WorkerInfo small = idle("w", 1);
        WorkerInfo large = small.toBuilder().modelRef("large").build();
        AtomicBoolean done = new AtomicBoolean();

        threads.together(
                times(4_000, done, () -> {
                    registry.register(small);
                    registry.remove("w");
                    registry.register(large);
                    registry.remove("w");
                }),
                until(done, () -> {
                    assertThat(registry.findByNodeAndModel("local", MODEL))
                            .map(WorkerInfo::modelRef)
                            .contains(MODEL);
                    assertThat(registry.findIdleWorker(MODEL))
                            .map(WorkerInfo::modelRef)
                            .isIn(Optional.empty(), Optional.of(MODEL));
                }));
    }

    @Test
    void noFailedCheckAndNoHeartbeatIsLost() throws Exception {
        registry.register(idle("w", 2));
        int each = 5_000;
        threads.results(THREADS, thread -> () -> {
            for (int i = 0; i < each; i++) {
                registry.incrementFailedHealthChecks("w");
                registry.heartbeat("w");
                registry.tryAcquireFrom("w").ifPresent(SlotLease::close);
                registry.get("w");
            }
            return null;
        });

        assertThat(now("w").failedHealthChecks()).isEqualTo(THREADS * each);
        assertThat(registry.stats().healthChecksFailed()).isEqualTo((long) THREADS * each);
        assertThat(now("w").lastHeartbeat()).isPresent();
        assertThat(now("w").slotsInUse()).isZero();
    }
}
