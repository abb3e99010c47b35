package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A worker with more slots leaves the account of its end to the lease: closed by two threads at once, it gives back one
 * slot, once. (The second close may return while the first still gives back, so that the slot is free when both have
 * returned.)
 */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class CloseTwoSlotsSchedules {

    private final ModelSlots model = new ModelSlots("m", SlotSelection.PACK, new Hints(), 8, null);
    private final Leases leases = new Leases();
    private final SlotLease shared;
    private final AtomicBoolean isClosed = new AtomicBoolean();
    private final AtomicInteger holders = new AtomicInteger(1); // of the one slot that comes free

    public CloseTwoSlotsSchedules() {
        model.add(new Entry(SomeWorkers.idle("a", 2)));
        SlotLease unused = requireNonNull(model.tryTake()); // held for ever
        shared = requireNonNull(model.tryTake());
    }

    @Operation
    public void closeShared() {
        if (isClosed.compareAndSet(false, true)) {
            holders.decrementAndGet();
        }
        shared.close();
    }

    /** Whether the slot, if it is taken, is taken by one only. */
    @Operation
    public boolean take(@Param(name = "thread") int thread) {
        return !leases.keep(thread, model.tryTake()) || holders.incrementAndGet() == 1;
    }

    @Operation
    public void give(@Param(name = "thread") int thread) {
        SlotLease lease = leases.dropLast(thread);
        if (lease != null) {
            holders.decrementAndGet();
            lease.close();
        }
    }

    @Validate
    public void theSlotIsFreeUnlessSomebodyHoldsIt() {
        int free = 0;
        while (model.tryTake() != null) {
            free++;
        }
        if (free + holders.get() != 1) {
            throw new IllegalStateException(free + " free and " + holders + " held of one slot");
        }
    }

    /** Each takes what is free. */
    public static class OneHolder {
        public void closeShared() {}

        public boolean take(int thread) {
            return true;
        }

        public void give(int thread) {}
    }

    @Test
    void inSchedulesThatLincheckChooses() {
        Schedules.chosen(OneHolder.class).check(CloseTwoSlotsSchedules.class);
    }

    @Test
    void inSchedulesOfTheMachine() {
        Schedules.ofTheMachine(OneHolder.class).check(CloseTwoSlotsSchedules.class);
    }
}
