package io.github.workerregistry;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A lease that two threads close at once gives back one slot, once. Of a worker with one slot the word decides between
 * them, of one with more a flag of the lease. (The second close may return while the first still gives back, so that
 * the slot is free when both have returned.)
 */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class CloseSchedules {

    /** Of the worker: Lincheck makes the objects that it tries, and knows no parameters. */
    private static int slots = 1;

    private final ModelTable models = new ModelTable(SlotRules.of(SlotSelection.PACK, 8), new ThreadHints(), true);
    private final Leases leases = new Leases();
    private final SlotLease shared;
    private volatile boolean isClosed; // before it is
    private final AtomicInteger takers = new AtomicInteger(); // of the one slot that comes free

    public CloseSchedules() {
        models.add(new WorkerEntry(SomeWorkers.idle("w", slots)));
        for (int i = 1; i < slots; i++) {
            assertThat(models.tryAcquire(SomeWorkers.MODEL, SlotFilter.any())).isNotNull(); // and held for ever
        }
        shared = requireNonNull(models.tryAcquire(SomeWorkers.MODEL, SlotFilter.any()));
    }

    @Operation
    public void closeShared() {
        isClosed = true;
        shared.close();
    }

    /** Whether the slot, if it is taken, is taken by one only. */
    @Operation
    public boolean take(@Param(name = "thread") int thread) {
        return !leases.keep(thread, models.tryAcquire(SomeWorkers.MODEL, SlotFilter.any()))
                || (isClosed && takers.incrementAndGet() == 1);
    }

    @Operation
    public void give(@Param(name = "thread") int thread) {
        SlotLease lease = leases.dropLast(thread);
        if (lease != null) {
            takers.decrementAndGet();
            lease.close();
        }
    }

    @Validate
    public void theSlotIsFreeUnlessSomebodyHoldsIt() {
        int free = 0;
        while (models.tryAcquire(SomeWorkers.MODEL, SlotFilter.any()) != null) {
            free++;
        }
        int held = takers.get() + (isClosed ? 0 : 1);
        if (free + held != 1) {
            throw new IllegalStateException(free + " free and " + held + " held of one slot");
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

    /** Random calls seldom close at once, so those that do come first. */
    private static <T extends Options<T, ?>> T withClosesAtOnce(T options) {
        Calls calls = new Calls(CloseSchedules.class);
        return options.addCustomScenario(calls.sideBySide(
                        List.of(calls.of("closeShared")), List.of(calls.of("closeShared"), calls.of("take", 2))))
                .addCustomScenario(calls.sideBySide(
                        List.of(calls.of("closeShared"), calls.of("take", 1), calls.of("give", 1)),
                        List.of(calls.of("closeShared"), calls.of("take", 2), calls.of("closeShared"))));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void inSchedulesThatLincheckChooses(int slotsOfTheWorker) {
        slots = slotsOfTheWorker;
        withClosesAtOnce(Schedules.chosen(OneHolder.class)).check(CloseSchedules.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void inSchedulesOfTheMachine(int slotsOfTheWorker) {
        slots = slotsOfTheWorker;
        withClosesAtOnce(Schedules.ofTheMachine(OneHolder.class)).check(CloseSchedules.class);
    }
}
