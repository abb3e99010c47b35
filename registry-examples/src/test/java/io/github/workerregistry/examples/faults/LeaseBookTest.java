package io.github.workerregistry.examples.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LeaseBookTest {

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final Remarks remarks = new Remarks();
    private final AtomicLong now = new AtomicLong();
    private final LeaseBook book = new LeaseBook(registry, now::get, remarks);

    @BeforeEach
    void register() {
        registry.register(WorkerInfo.builder()
                .id("w")
                .url("http://127.0.0.1:9")
                .modelRef("m")
                .state(new Idle())
                .build());
    }

    @Test
    void releasedLeaseIsReturnedAndLeaseOfAnExitedWorkerIsVoid() {
        SlotLease first = take();
        book.giveBack(first);
        SlotLease second = take();
        registry.remove("w");
        book.giveBack(second);

        assertThat(book.taken()).isEqualTo(2);
        assertThat(book.returned()).isEqualTo(1);
        assertThat(book.voided()).isEqualTo(1);
        assertThat(book.wrong()).isZero();
    }

    @Test
    void moreLeasesThanSlotsAreWrong() {
        SlotLease lease = take();
        book.taken(lease); // as if the only slot had been leased twice

        assertThat(book.wrong()).isEqualTo(1);
        assertThat(remarks.lines()).singleElement().asString().contains("2 leases are open of 1 slots");
    }

    @Test
    void voidLeaseOfALiveWorkerIsWrong() {
        SlotLease lease = take();
        lease.close(); // as if another caller had released it
        book.giveBack(lease);

        assertThat(book.wrong()).isEqualTo(1);
    }

    @Test
    void leaseOfAnUnknownWorkerIsWrong() {
        SlotLease lease = take();
        new LeaseBook(WorkerRegistry.create(), now::get, remarks).taken(lease);

        assertThat(remarks.lines()).singleElement().asString().contains("of a worker that takes none");
    }

    @Test
    void validLeaseOfAnExitedWorkerIsWrong() {
        WorkerRegistry other = WorkerRegistry.create(); // as if its worker had exited
        LeaseBook blind = new LeaseBook(other, now::get, remarks);
        SlotLease lease = take();
        blind.giveBack(lease);

        assertThat(blind.wrong()).isEqualTo(1);
        assertThat(remarks.lines()).singleElement().asString().contains("valid although its worker has exited");
    }

    @Test
    void leaseThatBecomesVoidBeforeTheDrainTimeoutIsWrong() {
        SlotLease lease = take();
        book.mustBeValid(lease, 1);
        registry.remove("w");
        now.set(1);
        book.mustBeValid(lease, 1);
        assertThat(book.wrong()).isZero();

        now.set(0);
        book.mustBeValid(lease, 1);
        assertThat(book.wrong()).isEqualTo(1);
    }

    private SlotLease take() {
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        book.taken(lease);
        return lease;
    }
}
