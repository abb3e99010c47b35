package io.github.workerregistry;

import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two slots are taken and given, whoever's they are: "no free slot" is true of some moment of the call. */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class SlotSchedules {

    /** In what workers the two slots are, and which worker comes first. */
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
            ModelTable models = new ModelTable(SlotRules.of(selection, 8), new ThreadHints(), true);
            for (int i = 0; i < workers; i++) {
                models.add(new WorkerEntry(SomeWorkers.idle("w" + i, 2 / workers)));
            }
            return models;
        }
    }

    /** Of what Lincheck makes the objects that it tries: it knows no parameters. */
    private static Layout layout = Layout.PACKED_INTO_ONE_WORKER;

    private final ModelTable models = layout.make();
    private final Leases leases = new Leases();

    @Operation
    public boolean take(@Param(name = "thread") int thread) {
        return leases.keep(thread, models.tryAcquire(SomeWorkers.MODEL, SlotFilter.any()));
    }

    @Operation
    public boolean give(@Param(name = "thread") int thread) {
        SlotLease lease = leases.dropLast(thread);
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
