package io.github.workerregistry;

import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/** Models without a registry, for unit tests. */
final class SomeModels {

    private SomeModels() {}

    /** A table whose requests fail if they are unservable. */
    static ModelTable table(SlotSelection selection, int waitQueueCapacity) {
        LeaseEndFutures ends = new LeaseEndFutures(WorkerEntry::snapshot);
        return table(settings(selection, waitQueueCapacity, true), ends, new LeaseCheckCoordinator(ends));
    }

    /** A table whose requests wait even if they are unservable. */
    static ModelTable tableForLaterWorkers(int waitQueueCapacity) {
        LeaseEndFutures ends = new LeaseEndFutures(WorkerEntry::snapshot);
        return table(settings(SlotSelection.PACK, waitQueueCapacity, false), ends, new LeaseCheckCoordinator(ends));
    }

    /** A table with another check of failed leases. */
    static ModelTable table(LeaseEndFutures ends, LeaseCheckCoordinator checks) {
        return table(settings(SlotSelection.PACK, 8, true), ends, checks);
    }

    /** A table whose deadlines run on a timer, in the time of a clock. */
    static ModelTable table(InstantSource clock, ScheduledExecutorService timer) {
        return new ModelTable(rules(settings(SlotSelection.PACK, 8, true), clock, timer), new ThreadHints());
    }

    static ModelSlots model(String modelRef, int waitQueueCapacity) {
        return new ModelSlots(
                modelRef, rules(settings(SlotSelection.PACK, waitQueueCapacity, true), InstantSource.system(), null));
    }

    /** A request of this thread, to be added to a wait queue. */
    static BlockingWaiter waiter(SlotRequest request) {
        return new BlockingWaiter(request, true);
    }

    private static ModelTable table(SlotSettings settings, LeaseEndFutures ends, LeaseCheckCoordinator checks) {
        return new ModelTable(rules(settings, InstantSource.system(), null, ends, checks), new ThreadHints());
    }

    private static SlotSettings settings(SlotSelection selection, int waitQueueCapacity, boolean failIfAbsent) {
        return new SlotSettings(selection, waitQueueCapacity, failIfAbsent, Duration.ofMinutes(10), 10_000, null, null);
    }

    private static SlotRules rules(
            SlotSettings settings, InstantSource clock, @Nullable ScheduledExecutorService timer) {
        LeaseEndFutures ends = new LeaseEndFutures(WorkerEntry::snapshot);
        return rules(settings, clock, timer, ends, new LeaseCheckCoordinator(ends));
    }

    private static SlotRules rules(
            SlotSettings settings,
            InstantSource clock,
            @Nullable ScheduledExecutorService timer,
            LeaseEndFutures ends,
            LeaseCheckCoordinator checks) {
        Deadlines deadlines = new Deadlines(timer, clock, ModelTable::timeOut);
        return new SlotRules(
                settings,
                clock,
                new ModelHistory(),
                ends,
                checks,
                new IdleActions(),
                new DemandListeners(),
                deadlines,
                new WaitTotals());
    }
}
