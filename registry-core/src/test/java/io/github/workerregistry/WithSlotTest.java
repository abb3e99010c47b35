package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@link WorkerRegistry#withSlot} releases the slot whatever the work does, before its own stage completes. */
@ExtendWith(UnexpectedWarnings.class)
class WithSlotTest {

    private static final SlotRequest REQUEST = SlotRequest.forModel(MODEL);

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final AtomicReference<Long> inUseAtEnd = new AtomicReference<>();

    private CompletableFuture<String> with(Function<SlotLease, CompletionStage<String>> work) {
        registry.register(idle("w", 1));
        CompletionStage<String> stage = registry.withSlot(REQUEST, Duration.ofSeconds(30), Runnable::run, work);
        return stage.whenComplete(
                        (value, failure) -> inUseAtEnd.set(registry.stats().slotsInUse()))
                .toCompletableFuture();
    }

    @Test
    void slotIsHeldWhileTheWorkRunsAndReleasedBeforeTheResult() {
        CompletableFuture<String> answer = new CompletableFuture<>();

        CompletableFuture<String> result = with(slot -> answer);

        assertThat(registry.stats().slotsInUse()).isEqualTo(1);
        answer.complete("answer");
        assertThat(result).isCompletedWithValue("answer");
        assertThat(inUseAtEnd).hasValue(0L);
    }

    @Test
    void failureOfTheWorkIsTheResult() {
        IllegalStateException broken = new IllegalStateException("broken");

        CompletableFuture<String> result = with(slot -> CompletableFuture.failedFuture(broken));

        assertThat(catchThrowable(result::join)).hasRootCause(broken);
        assertThat(inUseAtEnd).hasValue(0L);
    }

    @Test
    void workThatThrowsReleasesTheSlot() {
        CompletableFuture<String> result = with(slot -> {
            throw new IllegalStateException("broken");
        });

        assertThat(catchThrowable(result::join)).hasRootCauseMessage("broken");
        assertThat(inUseAtEnd).hasValue(0L);
    }

    @Test
    void workWithoutAStageReleasesTheSlot() {
        CompletableFuture<String> result = with(slot -> null);

        assertThat(catchThrowable(result::join)).hasRootCauseInstanceOf(NullPointerException.class);
        assertThat(inUseAtEnd).hasValue(0L);
    }

    @Test
    void workMayCloseTheLeaseItself() {
        CompletableFuture<String> result = with(slot -> {
            slot.close();
            return CompletableFuture.completedFuture("answer");
        });

        assertThat(result).isCompletedWithValue("answer");
    }

    @Test
    void withoutASlotTheWorkIsNotCalled() {
        CompletionStage<String> result = registry.withSlot(REQUEST, Duration.ZERO, Runnable::run, slot -> {
            throw new AssertionError("called");
        });

        assertThat(catchThrowable(() -> result.toCompletableFuture().join()))
                .hasCauseInstanceOf(NoWorkerException.class);
    }

    @Test
    void workIsCalledWhenTheSlotIsFree() {
        registry.register(idle("w", 1));
        SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
        CompletionStage<String> result = registry.withSlot(
                REQUEST,
                Duration.ofMinutes(1),
                Runnable::run,
                slot -> CompletableFuture.completedFuture(slot.workerId()));
        assertThat(result.toCompletableFuture()).isNotDone();

        held.close();

        assertThat(result.toCompletableFuture()).isCompletedWithValue("w");
        assertThat(registry.stats().slotsInUse()).isZero();
    }
}
