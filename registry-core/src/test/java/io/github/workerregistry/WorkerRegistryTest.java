package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Registration, removal and lists of workers. */
@ExtendWith(UnexpectedWarnings.class)
class WorkerRegistryTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().node("gpu-1").clock(time).build();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    private void later() {
        time.advance(Duration.ofSeconds(1));
    }

    private RecordingListener listen() {
        RecordingListener heard = new RecordingListener();
        registry.subscribe(heard, Runnable::run);
        return heard;
    }

    @Test
    void newRegistryIsEmpty() {
        assertThat(registry.list()).isEmpty();
        assertThat(registry.idleWorkers()).isEmpty();
        assertThat(registry.get("w")).isEmpty();
        assertThat(registry.clear()).isEmpty();
    }

    @Test
    void toStringNamesTheNodeAndCountsWorkersByState() {
        assertThat(registry).hasToString("WorkerRegistry[node gpu-1, workers: none]");
        registry.register(loading("l"));
        registry.register(idle("i", 2));
        registry.register(idle("b", 2));
        registry.register(idle("c", 1));
        registry.tryAcquireFrom("b");
        registry.updateState("c", backingOff(idle("c", 1)));
        registry.register(worker("s").state(STOPPING).build());
        registry.register(worker("r").state(BUSY).build());

        assertThat(registry)
                .hasToString(
                        "WorkerRegistry[node gpu-1, workers: 1 loading, 1 idle, 2 busy, 1 backing_off, 1 stopping]");
    }

    @Test
    void registeredWorkerIsReadBackUnchanged() {
        WorkerInfo worker = worker("w")
                .backend("cuda")
                .device(2)
                .slotsTotal(4)
                .pid(4711)
                .generation(7)
                .restarts(3)
                .failedHealthChecks(2)
                .lastHeartbeat(START.minusSeconds(1))
                .build();
        registry.register(worker);

        assertThat(registry.get("w")).contains(worker);
        assertThat(registry.list()).containsExactly(worker);
    }

    @Test
    void duplicateIdIsRefused() {
        registry.register(idle("w", 4));
        RecordingListener heard = listen();

        assertThatExceptionOfType(DuplicateWorkerException.class)
                .isThrownBy(() -> registry.register(loading("w")))
                .withMessage("worker w is registered already")
                .returns("w", DuplicateWorkerException::workerId);

        assertThat(registry.list()).containsExactly(idle("w", 4));
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(registry.stats().registered()).isEqualTo(1);
        assertThat(heard.events()).isEmpty();
    }

    @Test
    void refusedDuplicateIsNotFoundByItsModel() {
        registry.register(idle("w", 1));
        WorkerInfo duplicate = idle("w", 1).toBuilder().modelRef("other").build();

        assertThatExceptionOfType(DuplicateWorkerException.class).isThrownBy(() -> registry.register(duplicate));
        assertThat(registry.findIdleWorker("other")).isEmpty();
        assertThat(registry.tryAcquire("other")).isEmpty();
    }

    @Test
    void listKeepsTheOrderOfRegistration() {
        for (String id : List.of("c", "a", "b")) {
            registry.register(loading(id));
        }
        registry.updateState("a", IDLE);
        registry.heartbeat("b");
        assertThat(registry.list()).extracting(WorkerInfo::id).containsExactly("c", "a", "b");

        registry.remove("c");
        registry.register(loading("c"));
        assertThat(registry.list()).extracting(WorkerInfo::id).containsExactly("a", "b", "c");
    }

    @Test
    void listOfAModelHasItsWorkersOfAnyStateInOrder() {
        registry.register(loading("c"));
        registry.register(worker("other").modelRef("another").build());
        registry.register(idle("a", 1));
        registry.register(idle("b", 2));
        registry.tryAcquireFrom("b");
        registry.updateState("a", STOPPING);

        assertThat(registry.list(MODEL)).containsExactly(now("c"), now("a"), now("b"));
        assertThat(registry.list("another")).containsExactly(now("other"));
        assertThat(registry.list("unknown")).isEmpty();
        assertThat(registry.list(MODEL)).isUnmodifiable();

        registry.remove("other");
        assertThat(registry.list("another")).isEmpty();
    }

    /** A read would change the last activity of the worker. */
    @Test
    void listOfAModelReadsNoWorkerOfAnotherModel() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        registry.tryAcquireFrom("w").orElseThrow().close();
        later();

        registry.list("another");
        later();

        assertThat(now("w").lastActivity()).isEqualTo(seen.lastActivity().plusSeconds(2));
    }

    @Test
    void listIsAnUnmodifiableSnapshot() {
        registry.register(loading("a"));
        List<WorkerInfo> before = registry.list();
        registry.register(loading("b"));
        registry.updateState("a", IDLE);

        assertThat(before).containsExactly(loading("a"));
        assertThat(before).isUnmodifiable();
        assertThat(registry.idleWorkers()).isUnmodifiable();
        assertThat(registry.clear()).isUnmodifiable();
    }

    @Test
    void removedWorkerIsInNoQueryResult() {
        registry.register(idle("w", 2));

        assertThat(registry.remove("w")).contains(idle("w", 2));

        assertThat(registry.remove("w")).isEmpty();
        assertThat(registry.get("w")).isEmpty();
        assertThat(registry.list()).isEmpty();
        assertThat(registry.idleWorkers()).isEmpty();
        assertThat(registry.findIdleWorker(MODEL)).isEmpty();
        assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).isEmpty();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        assertThat(registry.stats().workers()).isZero();
    }

    /** The index of its model does not retain it either. */
    @Test
    void removedWorkerIsNotRetained() throws InterruptedException {
        registry.register(idle("another of the model", 1));
        ReferenceQueue<WorkerInfo> collected = new ReferenceQueue<>();
        WeakReference<WorkerInfo> worker = registerAndRemove(collected);

        for (int i = 0; i < 100 && !worker.refersTo(null); i++) {
            System.gc();
            collected.remove(100);
        }
        assertThat(worker.refersTo(null)).isTrue();
    }

    private WeakReference<WorkerInfo> registerAndRemove(ReferenceQueue<WorkerInfo> collected) {
        WorkerInfo worker = idle("w", 1);
        registry.register(worker);
        registry.remove("w");
        return new WeakReference<>(worker, collected);
    }

    @Test
    void removeReturnsTheLastRecord() {
        registry.register(idle("w", 2));
        registry.tryAcquireFrom("w");

        WorkerInfo removed = registry.remove("w").orElseThrow();

        assertThat(removed.state()).isEqualTo(BUSY);
        assertThat(removed.slotsInUse()).isEqualTo(1);
    }

    @Test
    void clearRemovesAllInOrderOfRegistration() {
        registry.register(loading("b"));
        registry.register(idle("a", 1));

        assertThat(registry.clear()).containsExactly(loading("b"), idle("a", 1));
        assertThat(registry.list()).isEmpty();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
    }

    @Test
    void exitOfAnEarlierGenerationDoesNotRemoveTheWorker() {
        registry.register(loading("w"));
        Exit old = crash(now("w"));
        registry.updateState("w", backingOff(now("w")));
        registry.updateState("w", LOADING);

        assertThat(registry.supervision().remove(old)).isEmpty();
        assertThat(registry.get("w")).isPresent();

        assertThat(registry.supervision().remove(crash(now("w")))).isPresent();
        assertThat(registry.get("w")).isEmpty();
        assertThat(registry.supervision().remove(crash(loading("w")))).isEmpty();
    }

    @Test
    void registryHasANodeAndAClock() {
        assertThat(registry.node()).isEqualTo("gpu-1");
        assertThat(registry.clock().instant()).isEqualTo(time.instant());
        assertThat(WorkerRegistry.create().node()).isEqualTo("local");
        assertThat(WorkerRegistry.create().clock().instant())
                .isBetween(Instant.now().minusSeconds(10), Instant.now().plusSeconds(10));
    }

    @Test
    void builderRejectsAMalformedNodeAndAnEventQueueOfZero() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WorkerRegistry.builder().node("gpu\n1").build())
                .withMessageStartingWith("node ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WorkerRegistry.builder().eventQueueCapacity(0).build())
                .withMessage("eventQueueCapacity must be >= 1, was 0");
    }

    static Stream<Arguments> nulls() {
        WorkerInfo seen = loading("w");
        return Stream.of(
                withNull("worker", registry -> registry.register(null)),
                withNull("id", registry -> registry.updateState(null, IDLE)),
                withNull("next", registry -> registry.updateState("w", null)),
                withNull("seen", registry -> registry.supervision().transitionIfUnchanged(null, IDLE)),
                withNull("next", registry -> registry.supervision().transitionIfUnchanged(seen, null)),
                withNull("incarnation", registry -> registry.supervision().transition(null, IDLE)),
                withNull("next", registry -> registry.supervision().transition(seen.incarnation(), null)),
                withNull(
                        "seen",
                        registry -> registry.supervision().restartIfUnchanged(null, new Loading(Instant.EPOCH), "u")),
                withNull("load", registry -> registry.supervision().restartIfUnchanged(seen, null, "u")),
                withNull(
                        "url",
                        registry -> registry.supervision().restartIfUnchanged(seen, new Loading(Instant.EPOCH), null)),
                withNull("seen", registry -> registry.supervision().replaceIfUnchanged(null, seen)),
                withNull("next", registry -> registry.supervision().replaceIfUnchanged(seen, null)),
                withNull("id", registry -> registry.get(null)),
                withNull("modelRef", registry -> registry.list(null)),
                withNull("id", registry -> registry.remove(null)),
                withNull("exit", registry -> registry.supervision().remove(null)),
                withNull("seen", registry -> registry.supervision().removeIfUnchanged(null, StopReason.REQUESTED)),
                withNull("reason", registry -> registry.supervision().removeIfUnchanged(seen, null)),
                withNull("incarnation", registry -> registry.supervision().started(null, 1)),
                withNull("id", registry -> registry.incrementFailedHealthChecks(null)),
                withNull("seen", registry -> registry.supervision().checkFailed(null)),
                withNull("incarnation", registry -> registry.supervision().checkPassed(null)),
                withNull("id", registry -> registry.heartbeat(null)),
                withNull("id", registry -> registry.heartbeat(null, 1)),
                withNull("modelRef", registry -> registry.findIdleWorker(null)),
                withNull("node", registry -> registry.findByNodeAndModel(null, MODEL)),
                withNull("modelRef", registry -> registry.findByNodeAndModel("gpu-1", null)),
                withNull("modelRef", registry -> registry.tryAcquire((String) null)),
                withNull("request", registry -> registry.tryAcquire((SlotRequest) null)),
                withNull("modelRef", registry -> registry.waiting(null)),
                withNull("id", registry -> registry.tryAcquireFrom(null)),
                withNull("listener", registry -> registry.subscribe(null, Runnable::run)),
                withNull("executor", registry -> registry.subscribe(event -> {}, null)),
                withNull("node", registry -> WorkerRegistry.builder().node(null)),
                withNull("clock", registry -> WorkerRegistry.builder().clock(null)));
    }

    private static Arguments withNull(String parameter, Consumer<WorkerRegistry> call) {
        return arguments(parameter, call);
    }

    @ParameterizedTest
    @MethodSource("nulls")
    void nullIsRefusedWithTheNameOfTheParameter(String parameter, Consumer<WorkerRegistry> call) {
        registry.register(idle("w", 1));

        assertThatNullPointerException().isThrownBy(() -> call.accept(registry)).withMessage(parameter);
    }
}
