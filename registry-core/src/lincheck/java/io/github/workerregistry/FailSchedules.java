package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
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
 * Leases of one worker fail and are closed, two threads end the same lease, and checks pass: until a check has passed
 * no slot of the worker is leased, and no slot is lost, or given twice.
 */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class FailSchedules {

    /** Of the worker: Lincheck makes the objects that it tries, and knows no parameters. */
    private static int slots = 1;

    private final IOException reset = new IOException("connection reset");
    private static final int NEVER = -1;

    private final ModelTable models;
    private final List<FailedLease> failed = new CopyOnWriteArrayList<>();
    private final Leases leases = new Leases();
    private final AtomicInteger held = new AtomicInteger();
    private final AtomicInteger passes = new AtomicInteger(); // that have begun
    private volatile int barredSince = NEVER; // how many had begun when a lease failed
    private final SlotLease shared;
    private volatile boolean sharedEnds; // before it does

    public FailSchedules() {
        LeaseEndFutures ends = new LeaseEndFutures(WorkerEntry::snapshot);
        LeaseCheckCoordinator checks =
                new LeaseCheckCoordinator(ends, (lease, nanos) -> {}); // the JDK's timer is no thread of Lincheck's
        checks.register(lease -> {
            failed.add(lease);
            return Optional.of(Duration.ofDays(1));
        });
        models = new ModelTable(
                new SlotRules(SlotSelection.PACK, 8, null, new ModelHistory(), ends, checks), new ThreadHints(), true);
        models.add(new WorkerEntry(SomeWorkers.idle("w", slots)));
        shared = requireNonNull(models.tryAcquire(SomeWorkers.MODEL, SlotFilter.any()));
    }

    /** Whether nothing is taken while the worker is barred. */
    @Operation
    public boolean take(@Param(name = "thread") int thread) {
        boolean barred = barredSince == passes.get();
        int before = passes.get();
        boolean taken = leases.keep(thread, models.tryAcquire(SomeWorkers.MODEL, SlotFilter.any()));
        if (taken) {
            held.incrementAndGet();
        }
        return !taken || !barred || passes.get() > before;
    }

    @Operation
    public void give(@Param(name = "thread") int thread) {
        SlotLease lease = leases.dropLast(thread);
        if (lease != null) {
            held.decrementAndGet();
            lease.close();
        }
    }

    @Operation
    public void fail(@Param(name = "thread") int thread) {
        SlotLease lease = leases.dropLast(thread);
        if (lease != null) {
            held.decrementAndGet();
            int before = passes.get();
            lease.fail(reset);
            if (passes.get() == before) {
                barredSince = before;
            }
        }
    }

    @Operation
    public void closeShared() {
        sharedEnds = true;
        shared.close();
    }

    @Operation
    public void failShared() {
        sharedEnds = true;
        shared.fail(reset);
    }

    @Operation
    public void pass() {
        passes.incrementAndGet();
        failed.forEach(FailedLease::resume);
    }

    @Validate
    public void everySlotIsHeldOrCanBeTakenWhenAllChecksHavePassed() {
        pass();
        int free = 0;
        while (models.tryAcquire(SomeWorkers.MODEL, SlotFilter.any()) != null) {
            free++;
        }
        int taken = held.get() + (sharedEnds ? 0 : 1);
        if (free + taken != slots) {
            throw new IllegalStateException(free + " free and " + taken + " held of " + slots);
        }
    }

    /** Each is as it should be. */
    public static class AllWell {
        public boolean take(int thread) {
            return true;
        }

        public void give(int thread) {}

        public void fail(int thread) {}

        public void closeShared() {}

        public void failShared() {}

        public void pass() {}
    }

    /** Random calls seldom meet where it matters, so those that do come first. */
    private static <T extends Options<T, ?>> T withMeetings(T options) {
        Calls calls = new Calls(FailSchedules.class);
        return options.addCustomScenario(calls.sideBySide(
                        List.of(calls.of("failShared"), calls.of("take", 1)),
                        List.of(calls.of("closeShared"), calls.of("take", 2))))
                .addCustomScenario(calls.sideBySide(
                        List.of(calls.of("failShared"), calls.of("pass")),
                        List.of(calls.of("take", 2), calls.of("fail", 2), calls.of("take", 2))))
                .addCustomScenario(calls.sideBySide(
                        List.of(calls.of("take", 0)),
                        List.of(calls.of("fail", 1), calls.of("pass"), calls.of("take", 1)),
                        List.of(calls.of("failShared"), calls.of("pass"))));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void inSchedulesThatLincheckChooses(int slotsOfTheWorker) {
        slots = slotsOfTheWorker;
        withMeetings(Schedules.chosen(AllWell.class)).check(FailSchedules.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void inSchedulesOfTheMachine(int slotsOfTheWorker) {
        slots = slotsOfTheWorker;
        withMeetings(Schedules.ofTheMachine(AllWell.class)).check(FailSchedules.class);
    }
}
