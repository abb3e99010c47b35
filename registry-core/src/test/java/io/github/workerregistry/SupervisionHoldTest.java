package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A worker that is ready, but leased only when the hive says so. */
@ExtendWith(UnexpectedWarnings.class)
class SupervisionHoldTest {

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final Supervision supervision = registry.supervision();
    private Incarnation held = new Incarnation("w", 1, SomeWorkers.START);

    @BeforeEach
    void holdALoadingWorker() {
        registry.register(idle("w", 2).toBuilder().state(LOADING).build());
        held = now().incarnation();
        assertThat(supervision.holdLeasing(held)).isTrue();
    }

    private WorkerInfo now() {
        return registry.get("w").orElseThrow();
    }

    @Test
    void heldWorkerIsReadyButNotLeased() {
        registry.updateState("w", IDLE);

        assertThat(now().state()).isEqualTo(IDLE);
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
    }

    @Test
    void waitersAreServedWhenLeasingBegins() {
        registry.updateState("w", IDLE);
        CompletableFuture<SlotLease> waits = registry.acquireAsync(
                        SlotRequest.forModel(MODEL), Duration.ofMinutes(1), Runnable::run)
                .lease()
                .toCompletableFuture();
        assertThat(waits).isNotDone();
        assertThat(supervision.beginLeasing(held)).isTrue();

        assertThat(waits).isCompleted();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(supervision.beginLeasing(held)).as("a second time").isFalse();
    }

    @Test
    void leasingThatBeginsDuringTheLoadIsNotHeldLater() {
        assertThat(supervision.beginLeasing(held)).isTrue();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        registry.updateState("w", IDLE);

        assertThat(registry.tryAcquire(MODEL)).isPresent();
    }

    @Test
    void onlyALoadingWorkerIsHeld() {
        supervision.beginLeasing(held);
        registry.updateState("w", IDLE);

        assertThat(supervision.holdLeasing(held)).isFalse();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
    }

    @Test
    void leasingThatHasEndedDoesNotBegin() {
        registry.updateState("w", IDLE);
        supervision.endLeasing(held);

        assertThat(supervision.beginLeasing(held)).isFalse();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
    }

    @Test
    void nextGenerationIsNotHeld() {
        registry.updateState("w", backingOff(now()));
        registry.updateState("w", LOADING);
        registry.updateState("w", IDLE);

        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(supervision.beginLeasing(now().incarnation())).isFalse();
    }

    @Test
    void otherIncarnationsAreRefused() {
        Incarnation other = new Incarnation("w", 2, held.startedAt());

        assertThat(supervision.holdLeasing(other)).isFalse();
        assertThat(supervision.beginLeasing(other)).isFalse();
        assertThat(supervision.beginLeasing(new Incarnation("x", 1, held.startedAt())))
                .isFalse();
    }
}
