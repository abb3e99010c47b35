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
 * Leases of one worker fail and are closed, two threads end the same lease, and checks pass: no slot of the worker is
 * leased until a check has passed, and no slot is lost or leased twice.
 */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class FailSchedules {

    /** The worker's slots. Static, because Lincheck creates the objects that it tests, without arguments. */
    private static int slots = 1;

    private final IOException reset = new IOException("connection reset");
    private static final int NEVER = -1;

    private final ModelTable models;
    private final List<FailedLease> failed = new CopyOnWriteArrayList<>();
    private final Leases leases = new Leases();
    private final AtomicInteger leased = new AtomicInteger();
    private final AtomicInteger passes = new AtomicInteger(); // begun
    private volatile int barredAt = NEVER; // the number of passes when a lease failed
    private final SlotLease shared;
    private volatile boolean sharedEnds; // set before it does

    public FailSchedules() {
        LeaseEndFutures ends = new LeaseEndFutures(WorkerEntry::snapshot);
        LeaseCheckCoordinator checks = new LeaseCheckCoordinator(
                ends, (lease, nanos) -> {}); // Lincheck does not control the JDK's timer thread
        checks.register(lease -> {
            failed.add(lease);
            return Optional.of(Duration.ofDays(1));
        });
        models = SomeModels.table(ends, checks);
        models.add(new WorkerEntry(SomeWorkers.idle("w", slots)));
        shared = requireNonNull(models.tryAcquire(SlotRequest.forModel(SomeWorkers.MODEL)));
    }

    /** Whether nothing was acquired while the worker was barred. */
    @Operation
    public boolean tryAcquire(@Param(name = "thread") int thread) {
        boolean barred = barredAt == passes.get();
        int before = passes.get();
        boolean acquired = leases.add(thread, models.tryAcquire(SlotRequest.forModel(SomeWorkers.MODEL)));
        if (acquired) {
            leased.incrementAndGet();
        }
        return !acquired || !barred || passes.get() > before;
    }

    @Operation
    public void release(@Param(name = "thread") int thread) {
        SlotLease lease = leases.removeLast(thread);
        if (lease != null) {
            leased.decrementAndGet();
            lease.close();
        }
    }

    @Operation
    public void fail(@Param(name = "thread") int thread) {
        SlotLease lease = leases.removeLast(thread);
        if (lease != null) {
            leased.decrementAndGet();
            int before = passes.get();
            lease.fail(reset);
            if (passes.get() == before) {
                barredAt = before;
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
    public void everySlotIsLeasedOrFreeWhenAllChecksHavePassed() {
        pass();
        int free = 0;
        while (models.tryAcquire(SlotRequest.forModel(SomeWorkers.MODEL)) != null) {
            free++;
        }
        int inUse = leased.get() + (sharedEnds ? 0 : 1);
        if (free + inUse != slots) {
            throw new IllegalStateException(free + " free and " + inUse + " leased of " + slots);
        }
    }

    /** The expected results. */
    public static class Expected {
        public boolean tryAcquire(int thread) {
            return true;
        }

        public void release(int thread) {}

        public void fail(int thread) {}

        public void closeShared() {}

        public void failShared() {}

        public void pass() {}
    }

    /** Random operations seldom race, so scenarios that do come first. */
    private static <T extends Options<T, ?>> T withRaces(T options) {
        Calls calls = new Calls(FailSchedules.class);
        return options.addCustomScenario(calls.sideBySide(
                        List.of(calls.of("failShared"), calls.of("tryAcquire", 1)),
                        List.of(calls.of("closeShared"), calls.of("tryAcquire", 2))))
                .addCustomScenario(calls.sideBySide(
                        List.of(calls.of("failShared"), calls.of("pass")),
                        List.of(calls.of("tryAcquire", 2), calls.of("fail", 2), calls.of("tryAcquire", 2))))
                .addCustomScenario(calls.sideBySide(
                        List.of(calls.of("tryAcquire", 0)),
                        List.of(calls.of("fail", 1), calls.of("pass"), calls.of("tryAcquire", 1)),
                        List.of(calls.of("failShared"), calls.of("pass"))));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void inSchedulesThatLincheckChooses(int slotsOfTheWorker) {
        slots = slotsOfTheWorker;
        withRaces(Schedules.chosen(Expected.class)).check(FailSchedules.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void inSchedulesOfTheMachine(int slotsOfTheWorker) {
        slots = slotsOfTheWorker;
        withRaces(Schedules.ofTheMachine(Expected.class)).check(FailSchedules.class);
    }
}
