package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What the exception of a caller without a slot contains: the state of the model, and the last failure of its workers.
 */
@ExtendWith(UnexpectedWarnings.class)
class SlotShortageTest {

    private final WorkerRegistry registry = WorkerRegistry.create();

    private static Exit exit(WorkerInfo worker, Exit.Cause cause, String... output) {
        return new Exit(
                worker.incarnation(), worker.modelRef(), cause, ExitStatus.unrequested(2), List.of(output), START);
    }

    private SlotTimeoutException timeout(String modelRef) {
        return requireNonNull(
                catchThrowableOfType(SlotTimeoutException.class, () -> registry.acquire(modelRef, Duration.ZERO)));
    }

    private NoWorkerException noWorker(String modelRef) {
        return requireNonNull(catchThrowableOfType(
                NoWorkerException.class, () -> registry.acquire(modelRef, Duration.ofSeconds(30))));
    }

    /** Regression: the exception did not mention three crashes. */
    @Test
    void timeoutNamesWorkersByStateWaitersAndTheLastFailure() throws Exception {
        registry.register(loading("l"));
        registry.register(idle("w", 1));
        registry.register(idle("crashes", 1));
        WorkerInfo crashes = registry.get("crashes").orElseThrow();
        registry.updateState(
                "crashes",
                new BackingOff(1, START, exit(crashes, Exit.Cause.CRASHED, "loading", "CUDA out of memory", "")));
        SlotLease lease = registry.tryAcquire(MODEL).orElseThrow();
        FutureTask<SlotLease> other = new FutureTask<>(() -> registry.acquire(MODEL, Duration.ofSeconds(30)));
        Thread waiting = new Thread(other);
        waiting.start();
        await().until(() -> waiting.getState() == Thread.State.TIMED_WAITING);

        SlotTimeoutException thrown = requireNonNull(
                catchThrowableOfType(SlotTimeoutException.class, () -> registry.acquire(MODEL, Duration.ofMillis(20))));

        assertThat(thrown)
                .hasMessageMatching("no slot of hf:TheBloke/TinyLlama within PT0.02S "
                        + "\\(workers: 1 loading, 1 busy, 1 backing_off; callers waiting: 1; waited PT[\\d.]+S\\)"
                        + "; last failure PT\\d+S ago: worker crashes, generation 1, CRASHED, exit code 2: "
                        + "CUDA out of memory");
        assertThat(thrown.modelRef()).isEqualTo(MODEL);
        assertThat(thrown.workersByState())
                .containsExactly(Map.entry("loading", 1), Map.entry("busy", 1), Map.entry("backing_off", 1));
        assertThat(thrown.waiting()).isEqualTo(1);
        assertThat(thrown.waited()).isBetween(Duration.ofMillis(20), Duration.ofSeconds(30));
        assertThat(thrown.isShuttingDown()).isFalse();
        assertThat(thrown.lastFailure()).hasValueSatisfying(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.CRASHED);
            assertThat(exit.output()).containsExactly("CUDA out of memory");
        });
        lease.close();
        other.get(30, TimeUnit.SECONDS).close();
    }

    /** Regression: 867 of 1,000 callers got no cause. */
    @Test
    void laterCallersGetTheLastFailureToo() {
        registry.register(loading("w"));
        registry.supervision().remove(exit(loading("w"), Exit.Cause.CRASH_LOOP, "sh: serve.py: not found"));

        for (int i = 0; i < 1_000; i++) {
            NoWorkerException thrown = noWorker(MODEL);
            assertThat(thrown)
                    .hasMessageContaining(
                            "ago: worker w, generation 1, CRASH_LOOP, exit code 2: sh: serve.py: not found");
            assertThat(thrown.lastFailure()).map(Exit::cause).hasValue(Exit.Cause.CRASH_LOOP);
            assertThat(thrown.workersByState()).isEmpty();
        }
        registry.register(idle("v", 1));
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(timeout(MODEL).lastFailure())
                .as("the slot of the other worker is leased")
                .isPresent();
        assertThat(noWorker("another").lastFailure()).isEmpty();
    }

    @Test
    void fullWaitQueueNamesTheSame() {
        WorkerRegistry none = WorkerRegistry.builder().waitQueueCapacity(0).build();
        none.register(loading("w"));
        none.register(loading("v"));
        none.supervision().remove(exit(loading("v"), Exit.Cause.LOAD_STALL));

        SlotQueueFullException thrown = requireNonNull(
                catchThrowableOfType(SlotQueueFullException.class, () -> none.acquire(MODEL, Duration.ofSeconds(30))));

        assertThat(thrown)
                .hasMessageMatching("0 callers wait for a slot of hf:TheBloke/TinyLlama already "
                        + "\\(workers: 1 loading; callers waiting: 0; waited PT[\\d.]+S\\)"
                        + "; last failure PT\\d+S ago: worker v, generation 1, LOAD_STALL, exit code 2");
        assertThat(thrown.workersByState()).containsExactly(Map.entry("loading", 1));
        assertThat(thrown.waiting()).isZero();
        assertThat(thrown.waited()).isGreaterThanOrEqualTo(Duration.ZERO);
        assertThat(thrown.isShuttingDown()).isFalse();
        assertThat(thrown.lastFailure()).map(Exit::cause).hasValue(Exit.Cause.LOAD_STALL);
    }

    @Test
    void failureOfAWorkerThatDoesNotMatchIsNotNamed() {
        registry.register(loading("w"));
        WorkerInfo gpu = worker("gpu").backend("cuda").device(1).build();
        registry.register(gpu);
        registry.supervision().remove(exit(gpu, Exit.Cause.CRASHED, "no memory"));

        assertThat(timeout(MODEL).lastFailure()).isPresent();
        SlotTimeoutException thrown = requireNonNull(catchThrowableOfType(
                SlotTimeoutException.class,
                () -> registry.acquire(SlotRequest.forModel(MODEL).onBackend("cpu"), Duration.ZERO)));
        assertThat(thrown.lastFailure()).isEmpty();
        assertThat(thrown.getMessage()).doesNotContain("last failure");
        SlotTimeoutException excluding = requireNonNull(catchThrowableOfType(
                SlotTimeoutException.class,
                () -> registry.acquire(SlotRequest.forModel(MODEL).excluding(gpu.id()), Duration.ZERO)));
        assertThat(excluding.lastFailure()).isEmpty();
    }

    @Test
    void requestedExitIsNoFailure() {
        registry.register(idle("w", 1));
        registry.updateState("w", new Stopping(StopReason.IDLE_TIMEOUT));
        registry.supervision().remove(exit(idle("w", 1), Exit.Cause.IDLE_TIMEOUT));

        assertThat(noWorker(MODEL).lastFailure()).isEmpty();
    }

    @Test
    void messageIsSanitisedAndBounded() {
        registry.register(loading("w"));
        registry.supervision()
                .remove(exit(loading("w"), Exit.Cause.CRASHED, "\u001b[31mred\nINFO forged " + "x".repeat(9_999)));

        NoWorkerException thrown = noWorker(MODEL);
        assertThat(thrown.getMessage())
                .contains("\\u001b[31mred\\u000aINFO forged xxx")
                .hasSizeLessThan(1_000)
                .doesNotContain("\n", "\u001b");
        assertThat(thrown.lastFailure().orElseThrow().output())
                .singleElement()
                .asString()
                .hasSize(300);
        assertThat(noWorker("m\nforged " + "y".repeat(9_999)).getMessage())
                .startsWith("no worker serves m\\u000aforged yyy")
                .hasSizeLessThan(1_000);
        registry.register(loading("w"));
        registry.supervision().remove(exit(loading("w"), Exit.Cause.CRASHED, "x".repeat(299) + "\ud83d\ude00"));
        assertThat(noWorker(MODEL).lastFailure().orElseThrow().output())
                .as("no half of a surrogate pair")
                .containsExactly("x".repeat(299));
    }

    /** Regression: the message for waiters was that no worker serves the model. */
    @Test
    void waitersAndLaterCallersGetTheShutdownAsCause() throws Exception {
        registry.register(idle("w", 1));
        SlotLease lease = registry.tryAcquire(MODEL).orElseThrow();
        FutureTask<NoWorkerException> waiting = new FutureTask<>(() -> noWorker(MODEL));
        Thread thread = new Thread(waiting);
        thread.start();
        await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);

        registry.updateState("w", new Stopping(StopReason.SHUTDOWN));

        assertThat(waiting.get(30, TimeUnit.SECONDS))
                .hasMessageContaining("; the hive is shutting down")
                .matches(NoWorkerException::isShuttingDown);
        assertThat(noWorker(MODEL).isShuttingDown()).as("while it drains").isTrue();
        lease.close();
        registry.supervision().remove(exit(idle("w", 1), Exit.Cause.SHUTDOWN));
        assertThat(noWorker(MODEL).isShuttingDown()).as("after its exit").isTrue();
        assertThat(noWorker("another").isShuttingDown()).isFalse();

        registry.register(idle("v", 1));
        registry.updateState("v", STOPPING);
        assertThat(noWorker(MODEL).isShuttingDown())
                .as("a new worker was registered")
                .isFalse();
        registry.remove("v");
        assertThat(noWorker(MODEL).isShuttingDown()).isFalse();
    }

    /** With several backends, the shutdown of one worker is not that of the workers that match. */
    @Test
    void shutdownOfAWorkerThatDoesNotMatchIsNoShutdown() {
        registry.register(worker("gpu").backend("cuda").state(IDLE).build());
        registry.updateState("gpu", new Stopping(StopReason.SHUTDOWN));
        registry.register(idle("w", 1));
        registry.updateState("w", STOPPING);

        NoWorkerException thrown = requireNonNull(catchThrowableOfType(
                NoWorkerException.class,
                () -> registry.acquire(SlotRequest.forModel(MODEL).onBackend("cpu"), Duration.ZERO)));

        assertThat(thrown.isShuttingDown()).isFalse();
    }

    @Test
    void historyIsBoundedByModelsAndAge() {
        AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1); // it may overflow at any time
        ModelHistory history = new ModelHistory(nanos::get);
        WorkerInfo worker = loading("w");
        for (int i = 0; i < 1_000_000; i++) {
            history.failed(worker.toBuilder().modelRef("m" + i).build(), exit(worker, Exit.Cause.CRASHED, "line"));
        }
        history.removed(worker.toBuilder().modelRef("m5").build(), Exit.Cause.REQUESTED);
        history.removed(worker.toBuilder().modelRef("shut").build(), Exit.Cause.SHUTDOWN);

        assertThat(history.size()).isEqualTo(ModelHistory.MODELS);
        assertThat(history.lastFailure("m998999", SlotRequest.forModel("m998999")))
                .isNull();
        assertThat(history.isShutDown("shut")).isTrue();
        nanos.addAndGet(TimeUnit.MINUTES.toNanos(10));
        assertThat(history.lastFailure("m999999", SlotRequest.forModel("m999999")))
                .isNotNull();
        nanos.incrementAndGet();
        assertThat(history.lastFailure("m999999", SlotRequest.forModel("m999999")))
                .isNull();
        assertThat(history.isShutDown("shut")).isFalse();
    }

    /** A hive may use any number of models. */
    @Test
    void onlyTheLastThousandFailedModelsAreKept() {
        for (int i = 0; i < 1_000_000; i++) {
            WorkerInfo worker = worker("w").modelRef("m" + i).build();
            registry.register(worker);
            registry.supervision().remove(exit(worker, Exit.Cause.CRASHED, "line"));
        }

        assertThat(noWorker("m0").lastFailure()).isEmpty();
        assertThat(noWorker("m998999").lastFailure()).isEmpty();
        assertThat(noWorker("m999000").lastFailure()).isPresent();
        assertThat(noWorker("m999999").lastFailure()).isPresent();
    }
}
