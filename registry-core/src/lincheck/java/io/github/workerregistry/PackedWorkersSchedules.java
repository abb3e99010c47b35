package io.github.workerregistry;

import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Of two workers with one slot each, the busy one first: "no free slot" is true of some moment of the call. */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class PackedWorkersSchedules {

    private final ModelSlots model = new ModelSlots("m", SlotSelection.PACK, new Hints(), 8, null);
    private final Leases leases = new Leases();

    public PackedWorkersSchedules() {
        model.add(new Entry(SomeWorkers.idle("a", 1)));
        model.add(new Entry(SomeWorkers.idle("b", 1)));
    }

    @Operation
    public boolean take(@Param(name = "thread") int thread) {
        return leases.keep(thread, model.tryTake());
    }

    @Operation
    public boolean give(@Param(name = "thread") int thread) {
        SlotLease lease = leases.dropLast(thread);
        if (lease != null) {
            lease.close();
        }
        return lease != null;
    }

    @Test
    void inSchedulesThatLincheckChooses() {
        Schedules.chosen(TwoSlots.class).check(PackedWorkersSchedules.class);
    }

    @Test
    void inSchedulesOfTheMachine() {
        Schedules.ofTheMachine(TwoSlots.class).check(PackedWorkersSchedules.class);
    }
}
