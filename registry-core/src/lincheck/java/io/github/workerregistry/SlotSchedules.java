package io.github.workerregistry;

import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two slots, in one worker or two, are acquired and released: an empty result is true at some moment of the call. */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class SlotSchedules {

    /** The workers with the two slots, and the slot selection. */
    enum Layout {
        PACKED_INTO_ONE_WORKER(SlotSelection.PACK, 1),
        PACKED_OVER_TWO_WORKERS(SlotSelection.PACK, 2),
        SPREAD_IN_ONE_WORKER(SlotSelection.SPREAD, 1),
        SPREAD_OVER_TWO_WORKERS(SlotSelection.SPREAD, 2);

        private final SlotSelection selection;
        private final int workers;

        Layout(SlotSelection selection, int workers) {
            this.selection = selection;
            this.workers = workers;
        }

        ModelTable make() {
            ModelTable models = SomeModels.table(selection, 8);
            for (int i = 0; i < workers; i++) {
                models.add(new WorkerEntry(SomeWorkers.idle("w" + i, 2 / workers)));
            }
            return models;
        }
    }

    /** Static, because Lincheck creates the objects that it tests, without arguments. */
    private static Layout layout = Layout.PACKED_INTO_ONE_WORKER;

    private final ModelTable models = layout.make();
    private final Leases leases = new Leases();

    @Operation
    public boolean tryAcquire(@Param(name = "thread") int thread) {
        return leases.add(thread, models.tryAcquire(SlotRequest.forModel(SomeWorkers.MODEL)));
    }

    @Operation
    public boolean release(@Param(name = "thread") int thread) {
        SlotLease lease = leases.removeLast(thread);
        if (lease != null) {
            lease.close();
        }
        return lease != null;
    }

    @ParameterizedTest
    @EnumSource
    void inSchedulesThatLincheckChooses(Layout tried) {
        layout = tried;
        Schedules.chosen(TwoSlots.class).check(SlotSchedules.class);
    }

    @ParameterizedTest
    @EnumSource
    void inSchedulesOfTheMachine(Layout tried) {
        layout = tried;
        Schedules.ofTheMachine(TwoSlots.class).check(SlotSchedules.class);
    }
}
