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
 * Two threads close one lease at once: its slot is released, once. With one slot the worker's lease word decides
 * between them, with more slots a flag of the lease. (The second close may return before the first has released the
 * slot; it is free when both have returned.)
 */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class CloseSchedules {

    /** The worker's slots. Static, because Lincheck creates the objects that it tests, without arguments. */
    private static int slots = 1;

    private final ModelTable models = SomeModels.table(SlotSelection.PACK, 8);
    private final Leases leases = new Leases();
    private final SlotLease shared;
    private volatile boolean isClosed; // set before it is closed
    private final AtomicInteger acquired = new AtomicInteger(); // leases of the released slot

    public CloseSchedules() {
        models.add(new WorkerEntry(SomeWorkers.idle("w", slots)));
        for (int i = 1; i < slots; i++) {
            assertThat(models.tryAcquire(SlotRequest.forModel(SomeWorkers.MODEL)))
                    .isNotNull(); // never released
        }
        shared = requireNonNull(models.tryAcquire(SlotRequest.forModel(SomeWorkers.MODEL)));
    }

    @Operation
    public void closeShared() {
        isClosed = true;
        shared.close();
    }

    /** Whether the slot, if it was acquired, was acquired by one caller only. */
    @Operation
    public boolean tryAcquire(@Param(name = "thread") int thread) {
        return !leases.add(thread, models.tryAcquire(SlotRequest.forModel(SomeWorkers.MODEL)))
                || (isClosed && acquired.incrementAndGet() == 1);
    }

    @Operation
    public void release(@Param(name = "thread") int thread) {
        SlotLease lease = leases.removeLast(thread);
        if (lease != null) {
            acquired.decrementAndGet();
            lease.close();
        }
    }

    @Validate
    public void slotIsFreeUnlessLeased() {
        int free = 0;
        while (models.tryAcquire(SlotRequest.forModel(SomeWorkers.MODEL)) != null) {
            free++;
        }
        int leased = acquired.get() + (isClosed ? 0 : 1);
        if (free + leased != 1) {
            throw new IllegalStateException(free + " free and " + leased + " leased of one slot");
        }
    }

    /** The expected results. */
    public static class Expected {
        public void closeShared() {}

        public boolean tryAcquire(int thread) {
            return true;
        }

        public void release(int thread) {}
    }

    /** Random operations seldom close at once, so scenarios that do come first. */
    private static <T extends Options<T, ?>> T withClosesAtOnce(T options) {
        Calls calls = new Calls(CloseSchedules.class);
        return options.addCustomScenario(calls.sideBySide(
                        List.of(calls.of("closeShared")), List.of(calls.of("closeShared"), calls.of("tryAcquire", 2))))
                .addCustomScenario(calls.sideBySide(
                        List.of(calls.of("closeShared"), calls.of("tryAcquire", 1), calls.of("release", 1)),
                        List.of(calls.of("closeShared"), calls.of("tryAcquire", 2), calls.of("closeShared"))));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void inSchedulesThatLincheckChooses(int slotsOfTheWorker) {
        slots = slotsOfTheWorker;
        withClosesAtOnce(Schedules.chosen(Expected.class)).check(CloseSchedules.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void inSchedulesOfTheMachine(int slotsOfTheWorker) {
        slots = slotsOfTheWorker;
        withClosesAtOnce(Schedules.ofTheMachine(Expected.class)).check(CloseSchedules.class);
    }
}
