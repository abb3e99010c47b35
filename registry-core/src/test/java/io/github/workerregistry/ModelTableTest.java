package io.github.workerregistry;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.github.workerregistry.SlotWaitQueue.JoinResult;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A model without a worker and without a waiter is removed: callers may request any number of model names. */
@ExtendWith(UnexpectedWarnings.class)
class ModelTableTest {

    private static final SlotRequest ANY = SlotRequest.forModel(SomeWorkers.MODEL);

    private static void join(ModelSlots model, Waiter... waiters) {
        for (Waiter waiter : waiters) {
            assertThat(model.waitQueue().join(waiter)).isEqualTo(JoinResult.JOINED);
        }
    }

    @Test
    void modelIsRemovedWithItsLastWaiter() {
        ModelTable models = SomeModels.tableForLaterWorkers(8);

        assertThatThrownBy(() -> models.acquire(SlotRequest.forModel("m"), Duration.ofMillis(1)))
                .isInstanceOf(SlotTimeoutException.class);

        assertThat(models.get("m")).isNull();
    }

    @Test
    void modelIsNotKeptForACallerThatFindsItsWaitQueueFull() {
        ModelTable models = SomeModels.tableForLaterWorkers(0);

        assertThatThrownBy(() -> models.acquire(SlotRequest.forModel("m"), Duration.ofMillis(1)))
                .isInstanceOf(SlotQueueFullException.class);

        assertThat(models.get("m")).isNull();
    }

    @Test
    void modelIsKeptWhileItHasAWorker() {
        ModelTable models = SomeModels.tableForLaterWorkers(8);
        WorkerEntry entry = new WorkerEntry(SomeWorkers.loading("w"));
        models.add(entry);

        assertThatThrownBy(() -> models.acquire(ANY, Duration.ofMillis(1))).isInstanceOf(SlotTimeoutException.class);

        assertThat(models.get(SomeWorkers.MODEL)).isNotNull();
        models.remove(entry, null);
        assertThat(models.get(SomeWorkers.MODEL)).isNull();
    }

    /** The slot is released after the search has found none, and before its caller is in the wait queue. */
    @Test
    void callerSearchesOnceMoreAfterItJoinedTheWaitQueue() throws InterruptedException {
        AtomicReference<SlotLease> held = new AtomicReference<>();
        InstantSource clock = () -> {
            held.get().close();
            return SomeWorkers.START;
        };
        ModelTable models = SomeModels.table(clock, new VirtualTime());
        models.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        held.set(requireNonNull(models.tryAcquire(ANY)));

        SlotLease lease = models.acquire(ANY, Duration.ofSeconds(30));

        assertThat(lease.workerId()).isEqualTo("w");
        assertThat(lease).isNotSameAs(held.get());
    }

    /** Regression: both were granted by one walk of the queue, and the second one went to the other, idle worker. */
    @Test
    void waitersWithOneAffinityKeyAreServedByOneWorker() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        SlotRequest keyed = ANY.affinity("key").waitIfAbsent();
        Waiter first = new BlockingWaiter(keyed, false);
        Waiter second = new BlockingWaiter(keyed, false);
        join(model, first, second);
        model.add(new WorkerEntry(SomeWorkers.idle("w1", 2)));
        model.add(new WorkerEntry(SomeWorkers.idle("w2", 2)));

        model.changed();

        assertThat(second.slot().workerId()).isEqualTo(first.slot().workerId());
    }

    @Test
    void servedAndUnservableWaitersLeaveTheWaitQueue() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        WorkerEntry entry = new WorkerEntry(SomeWorkers.idle("w", 2));
        model.add(entry);
        SlotLease first = model.tryAcquireBest(null);
        SlotLease second = model.tryAcquireBest(null);
        Waiter served = SomeModels.waiter(ANY);
        join(model, served);

        first.close();
        second.close();
        assertThat(served.slot().isValid()).isTrue();
        assertThat(model.waitQueue().isEmpty()).isTrue();
        assertThat(model.tryAcquireBest(null)).as("the second slot is free").isNotNull();

        Waiter unservable = SomeModels.waiter(ANY);
        join(model, unservable);
        model.remove(entry, null);
        model.changed();
        assertThat(unservable.failure()).isInstanceOf(NoWorkerException.class);
        assertThat(model.waitQueue().isEmpty()).isTrue();
    }

    /** A waiter that has joined, and has not searched yet: the slot is free all the time. */
    @Test
    void tryAcquireDoesNotBarge() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        model.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        Waiter waiter = SomeModels.waiter(ANY);
        join(model, waiter);

        assertThat(model.tryAcquireBest(null)).isNull();
        assertThat(model.tryAcquire(ANY.onDevice(0), null)).isNull();

        model.changed();
        assertThat(waiter.slot().workerId()).isEqualTo("w");
    }

    @Test
    void tryAcquireServesAWaiterThatAcceptsTheSlot() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        model.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        Waiter first = SomeModels.waiter(ANY.onDevice(0));
        join(model, first);

        assertThat(model.tryAcquireBest(null)).isNull();
        assertThat(first.slot().workerId()).isEqualTo("w");
    }

    @Test
    void constrainedTryAcquireIsAlsoServedInOrder() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        model.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        Waiter first = SomeModels.waiter(ANY.onDevice(0));
        join(model, first);

        assertThat(model.tryAcquire(ANY.onBackend("cpu").priority(9), null)).isNull();
        assertThat(first.slot().workerId()).isEqualTo("w");
    }

    @Test
    void tryAcquireFromDoesNotBarge() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        WorkerEntry entry = new WorkerEntry(SomeWorkers.idle("w", 1));
        model.add(entry);
        Waiter first = SomeModels.waiter(ANY.onDevice(0));
        join(model, first);

        assertThat(model.tryAcquireFrom(entry)).isNull();
        assertThat(first.slot().workerId()).isEqualTo("w");
    }

    /** Regression: each release tested every waiter, which took milliseconds a slot with 100,000 waiters. */
    @Test
    void slotIsOfferedOnceToEachDistinctRequestForAnyNumberOfWaiters() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 100_000);
        WorkerEntry entry = new WorkerEntry(SomeWorkers.idle("w", 1));
        model.add(entry);
        model.add(new WorkerEntry(
                SomeWorkers.worker("other").device(1).state(SomeWorkers.LOADING).build()));
        for (int i = 0; i < 10_000; i++) {
            join(model, SomeModels.waiter(ANY.onDevice(1)));
        }
        Waiter last = SomeModels.waiter(ANY.onBackend("cpu"));
        join(model, last);
        AtomicInteger searches = new AtomicInteger();

        model.waitQueue().serve((request, accepted) -> {
            searches.incrementAndGet();
            return SlotSource.of(entry).acquire(request, accepted);
        });

        assertThat(searches).as("for the first waiter, and for the last").hasValue(2);
        assertThat(last.slot().workerId()).isEqualTo("w");
        assertThat(model.waitQueue().length()).isEqualTo(10_000);
    }

    /** Regression: each call tested every worker against every waiter. */
    @Test
    void tryAcquireTestsFewWorkersAgainstTheRequestsOfWaiters() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        model.add(new WorkerEntry(SomeWorkers.worker("w").device(1).build()));
        for (int i = 0; i < 1000; i++) {
            model.add(new WorkerEntry(SomeWorkers.idle("v" + i, 1)));
        }
        join(model, SomeModels.waiter(ANY.onDevice(1)));
        AtomicInteger tests = new AtomicInteger();

        SlotLease lease = model.waitQueue()
                .acquireAfterWaiters(
                        ANY,
                        (request, accepted) -> model.acquire(request, entry -> {
                            tests.incrementAndGet();
                            return requireNonNull(accepted).test(entry);
                        }));

        assertThat(lease).isNotNull();
        assertThat(tests).hasValueLessThan(10);
    }

    /** Regression: the requests of the other waiters were tested after the slot was granted to the first. */
    @Test
    void nothingIsSearchedAfterTheLastSlotIsGranted() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        WorkerEntry entry = new WorkerEntry(SomeWorkers.idle("w", 2));
        model.add(entry);
        for (String excluded : List.of("a", "b", "c", "d", "e", "f")) {
            join(model, SomeModels.waiter(ANY.excluding(excluded)));
        }
        AtomicInteger searches = new AtomicInteger();

        model.waitQueue().serve(new SlotSource() {
            @Override
            public SlotLease acquire(SlotRequest request, Predicate<WorkerEntry> accepted) {
                searches.incrementAndGet();
                return SlotSource.of(entry).acquire(request, accepted);
            }

            @Override
            public boolean isEmpty() {
                return SlotSource.of(entry).isEmpty();
            }
        });

        assertThat(searches).hasValue(2);
        assertThat(model.waitQueue().length()).isEqualTo(4);
    }

    /** Regression: the thread that released the slot got the error, and the next waiter was not served. */
    @Test
    void errorOfASearchFailsItsOwnWaiterOnly() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        model.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        Waiter broken = SomeModels.waiter(ANY.onDevice(0));
        Waiter behind = SomeModels.waiter(ANY);
        join(model, broken, behind);
        OutOfMemoryError error = new OutOfMemoryError("simulated");

        model.waitQueue().serve((request, accepted) -> {
            if (request.device().isPresent()) {
                throw error;
            }
            return model.acquire(request, accepted);
        });

        assertThat(broken.failure()).isInstanceOf(IllegalStateException.class).hasCause(error);
        assertThat(behind.slot().workerId()).isEqualTo("w");
        assertThat(model.waitQueue().isEmpty()).isTrue();
    }

    @Test
    void slotReleasedDuringAWalkIsOfferedToWaiters() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        model.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        SlotLease held = requireNonNull(model.tryAcquireBest(null));
        Waiter waiter = SomeModels.waiter(ANY);
        join(model, waiter);

        model.waitQueue().serve((request, accepted) -> {
            held.close();
            return null;
        });

        assertThat(waiter.slot().workerId()).isEqualTo("w");
    }

    /**
     * Regression: the walk was repeated for ever, with the lock of the wait queue held, because a waiter ahead accepts
     * the worker that served the key.
     */
    @Test
    void walkEndsIfTheWorkerOfAnAffinityKeyIsFull() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        model.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        SlotLease held = requireNonNull(model.tryAcquire(ANY.affinity("session"), null));
        Waiter ahead = SomeModels.waiter(ANY.onDevice(0));
        Waiter keyed = SomeModels.waiter(ANY.affinity("session"));
        join(model, ahead, keyed);

        assertTimeoutPreemptively(Duration.ofSeconds(30), model::changed);

        assertThat(keyed.isWaiting()).isTrue();
        held.close();
        ahead.slot().close();
        assertThat(keyed.slot().isValid()).isTrue();
    }

    /** A group is ordered by its next waiter after its first waiter was served. */
    @Test
    void orderIsKeptBetweenWaitersOfDifferentRequests() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        model.add(new WorkerEntry(SomeWorkers.idle("w", 1)));
        SlotLease lease = requireNonNull(model.tryAcquireBest(null));
        List<BlockingWaiter> waiting = Stream.of(0, 1, 2, 0, 1, 0)
                .map(kind -> SomeModels.waiter(
                        switch (kind) {
                            case 0 -> ANY;
                            case 1 -> ANY.onBackend("cpu");
                            default -> ANY.onDevice(0);
                        }))
                .toList();
        waiting.forEach(waiter -> join(model, waiter));

        for (Waiter next : waiting) {
            lease.close();
            lease = next.slot();
        }
    }

    @Test
    void allWaitersOfAnUnservableGroupFailAndNoOthers() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
        WorkerEntry cuda =
                new WorkerEntry(SomeWorkers.worker("gpu").backend("cuda").build());
        model.add(cuda);
        model.add(new WorkerEntry(SomeWorkers.loading("w")));
        List<BlockingWaiter> waiting = Stream.of("cuda", "cpu", "cuda", "cuda", "cpu")
                .map(backend -> SomeModels.waiter(ANY.onBackend(backend)))
                .toList();
        waiting.forEach(waiter -> join(model, waiter));

        model.remove(cuda, null);
        model.changed();

        for (Waiter waiter : waiting) {
            if (waiter.request().backend().equals(Optional.of("cuda"))) {
                assertThat(waiter.failure()).isInstanceOf(NoWorkerException.class);
            } else {
                assertThat(waiter.isWaiting()).isTrue();
            }
        }
        assertThat(model.waitQueue().length()).isEqualTo(2);
    }

    /** Otherwise two threads would always compete for the slot of the first worker. */
    @Test
    void workerThatAThreadUsedLastIsLastInItsSearch() {
        ModelSlots model = SomeModels.model(SomeWorkers.MODEL, 8);
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
