package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerState.Loading;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class SlotLeaseTest {

    private final WorkerRegistry registry = WorkerRegistry.create();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    private SlotLease acquire(String id) {
        return registry.tryAcquireFrom(id).orElseThrow();
    }

    private void restart(String id) {
        registry.updateState(id, backingOff(now(id)));
        registry.updateState(id, LOADING);
        registry.updateState(id, IDLE);
    }

    @Test
    void leaseOccupiesASlotUntilItIsClosed() {
        registry.register(idle("w", 2));

        try (SlotLease lease = acquire("w")) {
            assertThat(lease.isValid()).isTrue();
            assertThat(now("w").state()).isEqualTo(BUSY);
            assertThat(now("w").slotsInUse()).isEqualTo(1);
            assertThat(now("w").slotsAvailable()).isEqualTo(1);
        }

        assertThat(now("w").state()).isEqualTo(IDLE);
        assertThat(now("w").slotsAvailable()).isEqualTo(2);
    }

    @Test
    void workerHasNoMoreLeasesThanSlots() {
        registry.register(idle("w", 2));
        SlotLease first = acquire("w");
        acquire("w");

        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(now("w").slotsInUse()).isEqualTo(2);

        first.close();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
    }

    @Test
    void tryAcquireFindsAnyFreeSlotOfItsModel() {
        registry.register(loading("loading"));
        registry.register(idle("a", 1));
        registry.register(idle("other", 9).toBuilder().modelRef("other").build());
        registry.register(idle("b", 2));

        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(registry.tryAcquire(MODEL)).isPresent();

        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(now("a").slotsInUse()).isEqualTo(1);
        assertThat(now("b").slotsInUse()).isEqualTo(2);
        assertThat(now("other").slotsInUse()).isZero();
    }

    @Test
    void onlyARoutableWorkerCanBeLeased() {
        registry.register(loading("w"));
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        registry.updateState("w", IDLE);
        acquire("w").close();
        registry.updateState("w", backingOff(now("w")));
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        registry.updateState("w", LOADING);
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        registry.updateState("w", STOPPING);
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        assertThat(registry.tryAcquireFrom("unknown")).isEmpty();
        assertThat(registry.tryAcquire("unknown")).isEmpty();
    }

    /** The URL of the record may be that of a later generation, with another port. */
    @Test
    void leaseKeepsTheUrlOfItsGeneration() {
        registry.register(worker("w").state(IDLE).url("http://a").slotsTotal(2).build());
        SlotLease old = acquire("w");
        registry.updateState("w", backingOff(now("w")));
        registry.supervision().restartIfUnchanged(now("w"), new Loading(START), "http://b");
        registry.updateState("w", IDLE);
        SlotLease fresh = acquire("w");

        assertThat(old.url()).isEqualTo("http://a");
        assertThat(fresh.url()).isEqualTo("http://b");
        assertThat(old.worker().url()).isEqualTo("http://b");
        registry.remove("w");
        assertThat(fresh.url()).isEqualTo("http://b");
    }

    @Test
    void leaseDescribesItsWorker() {
        registry.register(worker("w")
                .state(IDLE)
                .url("http://127.0.0.1:8123")
                .slotsTotal(2)
                .generation(7)
                .build());
        SlotLease lease = acquire("w");

        assertThat(lease.workerId()).isEqualTo("w");
        assertThat(lease.url()).isEqualTo("http://127.0.0.1:8123");
        assertThat(lease.generation()).isEqualTo(7);
        WorkerInfo now = now("w");
        assertThat(lease.worker()).isEqualTo(now);
        assertThat(lease).hasToString("SlotLease[w, generation 7]");

        lease.close();
        assertThat(lease).hasToString("SlotLease[w, generation 7, void]");
        assertThat(lease.worker().slotsInUse()).isZero();
    }

    @Test
    void closingTwiceFreesOneSlot() {
        registry.register(idle("w", 3));
        SlotLease lease = acquire("w");
        acquire("w");

        lease.close();
        lease.close();

        assertThat(lease.isValid()).isFalse();
        assertThat(now("w").slotsInUse()).isEqualTo(1);
    }

    @Test
    void leaseOfAnEarlierGenerationFreesNoSlot() {
        registry.register(idle("w", 2));
        SlotLease old = acquire("w");
        restart("w");
        assertThat(old.isValid()).isFalse();
        SlotLease current = acquire("w");

        old.close();

        assertThat(current.isValid()).isTrue();
        assertThat(old.isValid()).isFalse();
        assertThat(now("w").slotsInUse()).isEqualTo(1);
    }

    @Test
    void leaseIsVoidAfterACrash() {
        registry.register(idle("w", 2));
        SlotLease lease = acquire("w");
        registry.updateState("w", backingOff(now("w")));

        assertThat(lease.isValid()).isFalse();
        lease.close();
        assertThat(now("w").slotsInUse()).isZero();
    }

    @Test
    void restartFreesAllSlots() {
        registry.register(idle("w", 2));
        acquire("w");
        acquire("w");
        restart("w");

        acquire("w");
        acquire("w");
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
    }

    @Test
    void leaseOfARemovedWorkerIsVoid() {
        registry.register(idle("w", 2));
        SlotLease lease = acquire("w");
        registry.remove("w");

        assertThat(lease.isValid()).isFalse();
        lease.close();
        assertThat(lease.workerId()).isEqualTo("w");
    }

    @Test
    void clearMakesAllLeasesVoid() {
        registry.register(idle("w", 2));
        SlotLease lease = acquire("w");
        registry.clear();

        assertThat(lease.isValid()).isFalse();
    }

    @Test
    void leaseOfARemovedWorkerFreesNoSlotOfItsSuccessor() {
        registry.register(idle("w", 2));
        SlotLease old = acquire("w");
        registry.remove("w");
        registry.register(idle("w", 2));
        SlotLease current = acquire("w");

        old.close();

        assertThat(old.isValid()).isFalse();
        assertThat(current.isValid()).isTrue();
        assertThat(now("w").slotsInUse()).isEqualTo(1);
    }

    /** Regression: it had the record from before its first lease. */
    @Test
    void leaseOfARemovedWorkerHasItsLastRecord() {
        registry.register(idle("w", 2));
        SlotLease lease = acquire("w");
        WorkerInfo removed = registry.remove("w").orElseThrow();

        assertThat(lease.worker()).isEqualTo(removed);
        registry.register(idle("w", 1));
        assertThat(lease.worker()).isEqualTo(removed);
    }

    @Test
    void leaseOfAStoppingWorkerStaysValidUntilItIsClosed() {
        registry.register(idle("w", 2));
        SlotLease lease = acquire("w");
        registry.updateState("w", STOPPING);

        assertThat(lease.isValid()).isTrue();
        lease.close();
        assertThat(lease.isValid()).isFalse();
        assertThat(now("w").slotsInUse()).isZero();
    }

    @Test
    void closedLeaseStaysVoidAfterTheNextLease() {
        registry.register(idle("w", 1));
        SlotLease closed = acquire("w");
        closed.close();
        acquire("w");

        assertThat(closed.isValid()).isFalse();
    }

    @Test
    void closedLeaseDoesNotReleaseAReportedOccupancy() {
        registry.register(idle("w", 2));
        SlotLease lease = acquire("w");
        lease.close();
        registry.updateState("w", BUSY);

        lease.close();

        assertThat(now("w").slotsInUse()).isEqualTo(2);
    }
}
