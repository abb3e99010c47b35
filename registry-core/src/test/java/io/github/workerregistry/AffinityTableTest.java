package io.github.workerregistry;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class AffinityTableTest {

    private final AffinityTable table = new AffinityTable(Duration.ofMinutes(10), 2, new VirtualTime());
    private final ModelTable models = SomeModels.table(SlotSelection.PACK, 8);

    private WorkerEntry worker(String id) {
        WorkerEntry entry = new WorkerEntry(SomeWorkers.idle(id, 9));
        models.add(entry);
        return entry;
    }

    private static SlotLease lease(WorkerEntry entry) {
        return requireNonNull(entry.tryAcquire());
    }

    @Test
    void keyOfARemovedWorkerIsForgotten() {
        WorkerEntry entry = worker("w");
        table.served("key", lease(entry));
        assertThat(table.get("key")).isSameAs(entry);

        entry.remove(Precondition.none(), null);

        assertThat(table.get("key")).isNull();
    }

    /** Regression: the slot of such a request was lost, because the empty table threw. */
    @Test
    void workerThatEndsBeforeItsFirstKeyIsStoredLeavesAnEmptyTable() {
        WorkerEntry entry = worker("w");
        SlotLease lease = lease(entry);
        entry.remove(Precondition.none(), null);

        table.served("key", lease);

        assertThat(table.size()).isZero();
    }

    @Test
    void keysOfEndedWorkersMakeRoomForNewOnes() {
        WorkerEntry ended = worker("ended");
        table.served("a", lease(ended));
        table.served("b", lease(ended));
        ended.remove(Precondition.none(), null);
        WorkerEntry entry = worker("w");

        table.served("c", lease(entry));

        assertThat(table.size()).isEqualTo(1);
        assertThat(table.get("c")).isSameAs(entry);
    }
}
