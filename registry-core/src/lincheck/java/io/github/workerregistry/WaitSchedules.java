package io.github.workerregistry;

import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Asynchronous requests for the slot of one worker: grants race with cancellations and timeouts. Each request ends
 * once, in the order of the queue, and no slot is lost.
 */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class WaitSchedules {

    private static final SlotRequest REQUEST = SlotRequest.forModel(SomeWorkers.MODEL);

    private final VirtualTime time = new VirtualTime(); // stands still: the JDK's timer would be a third thread
    private final ModelTable models = SomeModels.table(time, time);
    private final @Nullable AsyncWaiter[] last = new AsyncWaiter[4];
    private final List<AsyncWaiter> all = new ArrayList<>();

    public WaitSchedules() {
        models.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
    }

    /** The thread requests a slot, unless its last request has not ended, or holds the slot. */
    @Operation
    public boolean request(@Param(name = "thread") int thread) {
        AsyncWaiter before = last[Leases.index(thread)];
        if (before != null && (before.isWaiting() || isHeld(before))) {
            return false;
        }
        AsyncWaiter made = (AsyncWaiter) models.acquireAsync(REQUEST, Duration.ofDays(1), Runnable::run, null);
        last[Leases.index(thread)] = made;
        synchronized (all) {
            all.add(made);
        }
        return true;
    }

    private static boolean isHeld(AsyncWaiter waiter) {
        return waiter.state() == Waiter.State.GRANTED && waiter.slot().isValid();
    }

    @Operation
    public boolean cancel(@Param(name = "thread") int thread) {
        AsyncWaiter waiter = last[Leases.index(thread)];
        return waiter != null && waiter.cancel();
    }

    @Operation
    public boolean expire(@Param(name = "thread") int thread) {
        AsyncWaiter waiter = last[Leases.index(thread)];
        if (waiter == null || !waiter.isWaiting()) {
            return false;
        }
        ModelTable.timeOut(waiter);
        return waiter.state() == Waiter.State.TIMED_OUT;
    }

    @Operation
    public boolean release(@Param(name = "thread") int thread) {
        AsyncWaiter waiter = last[Leases.index(thread)];
        if (waiter == null || !isHeld(waiter)) {
            return false;
        }
        waiter.slot().close();
        return true;
    }

    private boolean canAcquire() {
        SlotLease lease = models.tryAcquire(REQUEST);
        if (lease != null) {
            lease.close();
        }
        return lease != null;
    }

    @Validate
    public void noSlotIsLostAndNoRequestWaitsForAFreeOne() {
        long held = all.stream().filter(WaitSchedules::isHeld).count();
        long waiting = all.stream().filter(Waiter::isWaiting).count();
        boolean free = held == 0 && waiting == 0;
        if (held > 1 || (held == 0 && waiting > 0) || free != canAcquire()) {
            throw new IllegalStateException(held + " hold the one slot, " + waiting + " wait for it");
        }
    }

    /** One slot, and a queue. */
    public static class OneSlotAndAQueue {

        private final Deque<Integer> queue = new ArrayDeque<>();
        private int holder = -1;

        public boolean request(int thread) {
            int caller = Leases.index(thread);
            if (holder == caller || queue.contains(caller)) {
                return false;
            }
            if (holder < 0) {
                holder = caller;
            } else {
                queue.add(caller);
            }
            return true;
        }

        public boolean cancel(int thread) {
            return queue.remove((Integer) Leases.index(thread));
        }

        public boolean expire(int thread) {
            return cancel(thread);
        }

        public boolean release(int thread) {
            if (holder != Leases.index(thread)) {
                return false;
            }
            holder = queue.isEmpty() ? -1 : queue.remove();
            return true;
        }
    }

    /** Random calls seldom race for a grant, so those that do come first. */
    private static <T extends Options<T, ?>> T withRaces(T options) {
        Calls calls = new Calls(WaitSchedules.class);
        for (String end : List.of("cancel", "expire")) {
            options.addCustomScenario(calls.sideBySide(
                    List.of(calls.of("request", 1)),
                    List.of(calls.of("release", 1), calls.of("request", 1)),
                    List.of(calls.of("request", 2), calls.of(end, 2), calls.of("request", 2))));
        }
        return options;
    }

    @Test
    void inSchedulesThatLincheckChooses() {
        withRaces(Schedules.chosen(OneSlotAndAQueue.class)).check(WaitSchedules.class);
    }

    @Test
    void inSchedulesOfTheMachine() {
        withRaces(Schedules.ofTheMachine(OneSlotAndAQueue.class)).check(WaitSchedules.class);
    }
}
