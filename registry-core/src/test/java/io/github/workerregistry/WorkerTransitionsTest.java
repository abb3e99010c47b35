package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** State changes that a hive reports with {@link WorkerRegistry#updateState}. */
@ExtendWith(UnexpectedWarnings.class)
class WorkerTransitionsTest {

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
    void becomingReadyResetsFailedChecksAndLastActivity() {
        registry.register(worker("w").slotsTotal(2).failedHealthChecks(2).build());
        later();

        WorkerInfo ready = registry.updateState("w", IDLE).orElseThrow();

        assertThat(ready)
                .isEqualTo(idle("w", 2).toBuilder().lastActivity(time.instant()).build())
                .isEqualTo(now("w"));
    }

    @Test
    void transitionOfAnUnknownWorkerIsEmpty() {
        assertThat(registry.updateState("w", IDLE)).isEmpty();
        assertThat(registry.supervision().transitionIfUnchanged(loading("w"), IDLE))
                .isEmpty();
    }

    @Test
    void reportingIdleTwiceChangesNothing() {
        registry.register(loading("w"));
        registry.updateState("w", IDLE);
        WorkerInfo before = now("w");
        RecordingListener heard = listen();
        later();

        assertThat(registry.updateState("w", IDLE)).contains(before);
        assertThat(now("w")).isEqualTo(before);
        assertThat(heard.events()).isEmpty();
    }

    @Test
    void reportingBusyTwiceChangesNothing() {
        registry.register(idle("w", 3));
        registry.updateState("w", BUSY);
        WorkerInfo before = now("w");
        later();

        assertThat(registry.updateState("w", BUSY)).contains(before);
        assertThat(now("w")).isEqualTo(before);
    }

    @Test
    void workerReportedBusyIsNotLeasedUntilItIsReportedIdle() {
        registry.register(idle("w", 3));
        later();

        WorkerInfo busy = registry.updateState("w", BUSY).orElseThrow();

        assertThat(busy.slotsInUse()).isEqualTo(3);
        assertThat(busy.slotsAvailable()).isZero();
        assertThat(busy.lastActivity()).isEqualTo(time.instant());
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        assertThat(registry.findIdleWorker(MODEL)).isEmpty();

        later();
        assertThat(registry.updateState("w", IDLE)).contains(now("w"));
        assertThat(now("w").lastActivity()).isEqualTo(time.instant());
        assertThat(registry.tryAcquire(MODEL)).isPresent();
    }

    @Test
    void workerRegisteredAsBusyIsNotLeasedUntilItIsReportedIdle() {
        registry.register(worker("w").state(BUSY).slotsTotal(4).slotsInUse(1).build());

        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(registry.tryAcquireFrom("w")).isEmpty();

        registry.updateState("w", IDLE);
        assertThat(registry.tryAcquire(MODEL)).isPresent();
    }

    /** Regression: it was accepted, and was told to callers as the last failure of the worker's own model. */
    @Test
    void exitOfAnotherModelIsRefused() {
        registry.register(idle("w", 1));
        WorkerInfo before = now("w");
        WorkerState next = backingOff(before.toBuilder().modelRef("other").build());

        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> registry.updateState("w", next))
                .withMessageContainingAll(MODEL, "other");
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> registry.supervision().transition(before.incarnation(), next));
        assertThat(now("w")).isEqualTo(before);
    }

    @Test
    void occupancyCannotBeReportedWhileLeasesAreOpen() {
        registry.register(idle("w", 3));
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        WorkerInfo before = now("w");

        for (WorkerState reported : List.of(IDLE, BUSY)) {
            assertThatExceptionOfType(IllegalTransitionException.class)
                    .isThrownBy(() -> registry.updateState("w", reported))
                    .withMessage(
                            "worker w cannot transition from busy to %s: 1 slots are leased and cannot be reported",
                            reported.label());
        }
        assertThat(now("w")).isEqualTo(before);
        assertThat(lease.isValid()).isTrue();

        lease.close();
        assertThat(registry.updateState("w", BUSY)).isPresent();
    }

    @Test
    void backingOffClearsPidSlotsInUseAndFailedChecks() {
        registry.register(
                worker("w").state(IDLE).pid(4711).failedHealthChecks(2).build());
        registry.tryAcquireFrom("w");

        WorkerInfo backingOff = registry.updateState("w", backingOff(now("w"))).orElseThrow();

        assertThat(backingOff.pid()).isEmpty();
        assertThat(backingOff.slotsInUse()).isZero();
        assertThat(backingOff.failedHealthChecks()).isZero();
        assertThat(backingOff.generation()).isEqualTo(1);
        assertThat(now("w")).isEqualTo(backingOff);
    }

    @Test
    void restartIsANewGenerationWithoutTheStateOfTheOld() {
        registry.register(worker("w").state(IDLE).pid(4711).slotsTotal(2).build());
        registry.heartbeat("w");
        registry.updateState("w", backingOff(now("w")));
        later();
        Instant since = time.instant().minusMillis(5);

        WorkerInfo restarted = registry.updateState("w", new Loading(since)).orElseThrow();

        assertThat(restarted)
                .isEqualTo(worker("w")
                        .slotsTotal(2)
                        .generation(2)
                        .restarts(1)
                        .startedAt(since)
                        .lastActivity(time.instant())
                        .build())
                .isEqualTo(now("w"));
    }

    @Test
    void stoppingWorkerKeepsOpenLeasesAndIsNotLeased() {
        registry.register(idle("w", 2));
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();

        WorkerInfo stopping = registry.updateState("w", STOPPING).orElseThrow();

        assertThat(stopping.slotsInUse()).isEqualTo(1);
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(lease.isValid()).isTrue();

        lease.close();
        assertThat(now("w").slotsInUse()).isZero();
        assertThat(now("w").state()).isEqualTo(STOPPING);
    }

    @Test
    void stopClearsReportedSlotsAndKeepsLeasedSlots() {
        registry.register(idle("reported", 2));
        registry.register(idle("leased", 2));
        registry.updateState("reported", BUSY);
        registry.tryAcquireFrom("leased");

        registry.updateState("reported", STOPPING);
        registry.updateState("leased", STOPPING);

        assertThat(now("reported").slotsInUse()).isZero();
        assertThat(now("leased").slotsInUse()).isEqualTo(1);
    }
}
