package io.github.workerregistry;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.SlotWaitQueue.JoinResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A model without a worker and without a waiter is removed: callers may request any number of model names. */
@ExtendWith(UnexpectedWarnings.class)
class ModelTableTest {

    private static ModelTable models(int capacity) {
        return new ModelTable(SlotRules.of(SlotSelection.PACK, capacity), new ThreadHints(), false);
    }

    @Test
    void modelIsRemovedWithItsLastWaiter() {
        ModelTable models = models(8);

        assertThatThrownBy(() -> models.acquire("m", SlotFilter.any(), Duration.ofMillis(1)))
                .isInstanceOf(SlotTimeoutException.class);

        assertThat(models.get("m")).isNull();
    }

    @Test
    void modelIsNotKeptForACallerThatFindsItsWaitQueueFull() {
        ModelTable models = models(0);

        assertThatThrownBy(() -> models.acquire("m", SlotFilter.any(), Duration.ofMillis(1)))
                .isInstanceOf(SlotQueueFullException.class);

        assertThat(models.get("m")).isNull();
    }

    @Test
    void modelIsKeptWhileItHasAWorker() {
        ModelTable models = models(8);
        WorkerEntry entry = new WorkerEntry(SomeWorkers.loading("w"));
        models.add(entry);

        assertThatThrownBy(() -> models.acquire(SomeWorkers.MODEL, SlotFilter.any(), Duration.ofMillis(1)))
                .isInstanceOf(SlotTimeoutException.class);

        assertThat(models.get(SomeWorkers.MODEL)).isNotNull();
        models.remove(entry, null);
        assertThat(models.get(SomeWorkers.MODEL)).isNull();
    }

    /**
     * The filter refuses the worker in both passes of the search, and accepts it once its caller is in the wait queue.
     */
    @Test
    void callerSearchesOnceMoreAfterItJoinedTheWaitQueue() throws InterruptedException {
        ModelTable models = models(8);
        models.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        AtomicInteger calls = new AtomicInteger();
        SlotFilter second = SlotFilter.any().where(worker -> calls.incrementAndGet() > 2);

        SlotLease lease = models.acquire(SomeWorkers.MODEL, second, Duration.ofSeconds(30));

        assertThat(lease.workerId()).isEqualTo("w");
        assertThat(calls).hasValue(3);
    }

    @Test
    void servedAndUnservableWaitersLeaveTheWaitQueue() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        WorkerEntry entry = new WorkerEntry(SomeWorkers.idle("w", 2));
        model.add(entry);
        SlotLease first = model.tryAcquireBest(null);
        SlotLease second = model.tryAcquireBest(null);
        Waiter served = new Waiter(SlotFilter.any(), true);
        model.waitQueue().join(served);

        first.close();
        second.close();
        assertThat(served.result()).isNotNull();
        assertThat(model.waitQueue().isEmpty()).isTrue();
        assertThat(model.tryAcquireBest(null)).as("the second slot is free").isNotNull();

        Waiter unservable = new Waiter(SlotFilter.any(), true);
        model.waitQueue().join(unservable);
        model.remove(entry, null);
        model.changed();
        assertThatThrownBy(unservable::result).isInstanceOf(NoWorkerException.class);
        assertThat(model.waitQueue().isEmpty()).isTrue();
    }

    /** Regression: each release called every waiter's filter, which took milliseconds a slot with 100,000 waiters. */
    @Test
    void slotIsOfferedOnceToEachFilterForAnyNumberOfWaiters() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 100_000));
        model.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        SlotLease held = requireNonNull(model.tryAcquireBest(null));
        AtomicInteger calls = new AtomicInteger();
        SlotFilter refusesAll = SlotFilter.any().where(worker -> calls.incrementAndGet() < 0);
        List<Waiter> waiting = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            waiting.add(new Waiter(refusesAll, true));
        }
        waiting.add(new Waiter(SlotFilter.any().onBackend("cpu"), true));
        waiting.forEach(waiter -> assertThat(model.waitQueue().join(waiter)).isEqualTo(JoinResult.JOINED));

        held.close();

        SlotLease served = requireNonNull(waiting.get(10_000).result());
        assertThat(calls)
                .as("once for the first waiter, and once to let the next group pass")
                .hasValue(2);
        calls.set(0);
        model.tryAcquire(SlotFilter.any().onDevice(0), null);
        served.close();
        model.changed();
        assertThat(calls).hasValueLessThan(10);
    }

    /** Regression: the filters of the other waiters were called after the slot was granted to the first. */
    @Test
    void noFilterIsCalledAfterTheSlotIsGranted() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        model.add(new WorkerEntry(SomeWorkers.idle("w", 2)));
        SlotLease first = requireNonNull(model.tryAcquireBest(null));
        SlotLease second = requireNonNull(model.tryAcquireBest(null));
        AtomicInteger calls = new AtomicInteger();
        for (int i = 0; i < 8; i++) {
            Waiter own = new Waiter(SlotFilter.any().where(worker -> calls.incrementAndGet() > 0), true);
            assertThat(model.waitQueue().join(own)).isEqualTo(JoinResult.JOINED);
        }

        first.close();
        assertThat(calls).hasValue(1);
        second.close();

        assertThat(calls).hasValue(2);
    }

    /** After its first waiter is served, a group is ordered by its next waiter. */
    @Test
    void orderIsKeptBetweenWaitersOfDifferentFilters() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        model.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        SlotLease lease = requireNonNull(model.tryAcquireBest(null));
        List<Waiter> waiting = Stream.of(0, 1, 2, 0, 1, 0)
                .map(kind -> new Waiter(
                        switch (kind) {
                            case 0 -> SlotFilter.any();
                            case 1 -> SlotFilter.any().onBackend("cpu");
                            default -> SlotFilter.any().onDevice(0);
                        },
                        true))
                .toList();
        waiting.forEach(waiter -> assertThat(model.waitQueue().join(waiter)).isEqualTo(JoinResult.JOINED));

        for (Waiter next : waiting) {
            lease.close();
            lease = requireNonNull(next.result());
        }
    }

    @Test
    void allWaitersOfAnUnservableGroupFailAndNoOthers() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        WorkerEntry cuda =
                new WorkerEntry(SomeWorkers.worker("gpu").backend("cuda").build());
        model.add(cuda);
        model.add(new WorkerEntry(SomeWorkers.loading("w")));
        List<Waiter> waiting = Stream.of("cuda", "cpu", "cuda", "cuda", "cpu")
                .map(backend -> new Waiter(SlotFilter.any().onBackend(backend), true))
                .toList();
        waiting.forEach(waiter -> assertThat(model.waitQueue().join(waiter)).isEqualTo(JoinResult.JOINED));

        model.remove(cuda, null);
        model.changed();

        for (Waiter waiter : waiting) {
            if (waiter.filter().fits("cuda", 0)) {
                assertThatThrownBy(waiter::result).isInstanceOf(NoWorkerException.class);
            } else {
                assertThat(waiter.result()).isNull();
            }
        }
    }

    /** Otherwise two threads would always compete for the slot of the first worker. */
    @Test
    void workerThatAThreadUsedLastIsLastInItsSearch() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        WorkerEntry first = new WorkerEntry(SomeWorkers.idle("first", 1));
        model.add(first);
        model.add(new WorkerEntry(SomeWorkers.idle("second", 1)));

        assertThat(requireNonNull(model.tryAcquireBest(first)).workerId()).isEqualTo("second");
        assertThat(requireNonNull(model.tryAcquireBest(first)).workerId()).isEqualTo("first");
    }

    /** Also if the slot was granted to it as a waiter. */
    @Test
    void threadThatWaitedReturnsToItsWorker() throws Exception {
        WorkerRegistry registry = WorkerRegistry.create();
        registry.register(SomeWorkers.idle("first", 1));
        registry.register(SomeWorkers.idle("second", 1));
        SlotLease first = registry.tryAcquireFrom("first").orElseThrow();
        SlotLease second = registry.tryAcquireFrom("second").orElseThrow();
        FutureTask<String> waiting = new FutureTask<>(() -> {
            registry.acquire(SomeWorkers.MODEL, Duration.ofSeconds(30)).close();
            first.close(); // now the first worker would be first in a search
            return registry.tryAcquire(SomeWorkers.MODEL).orElseThrow().workerId();
        });
        Thread waiter = new Thread(waiting);
        waiter.start();
        await().until(() -> waiter.getState() == Thread.State.TIMED_WAITING);

        second.close();

        assertThat(waiting.get()).isEqualTo("second");
        waiter.join();
    }

    /** More models than places in the table of hints: two models share a place. */
    @Test
    void modelsThatShareAHintDoNotShareAWorker() {
        WorkerRegistry registry = WorkerRegistry.create();
        for (int i = 0; i <= ThreadHints.PLACES; i++) {
            registry.register(WorkerInfo.builder()
                    .id("w" + i)
                    .url("http://h")
                    .modelRef("m" + i)
                    .state(SomeWorkers.IDLE)
                    .build());

            SlotLease lease = registry.tryAcquire("m" + i).orElseThrow();
            assertThat(lease.workerId()).isEqualTo("w" + i);
            lease.close();
        }
    }
}
