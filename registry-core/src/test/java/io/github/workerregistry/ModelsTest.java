package io.github.workerregistry;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.WaitingLine.Entrance;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A model that nobody has, and nobody waits for, is forgotten: callers may ask for any number of names. */
@ExtendWith(UnexpectedWarnings.class)
class ModelsTest {

    private static Models models(int longestLine) {
        return new Models(SlotRules.of(SlotSelection.PACK, longestLine), new Hints(), false);
    }

    @Test
    void aModelGoesWithTheLastWhoWaitedForItInVain() {
        Models models = models(8);

        assertThatThrownBy(() -> models.acquire("m", SlotFilter.any(), Duration.ofMillis(1)))
                .isInstanceOf(SlotTimeoutException.class);

        assertThat(models.get("m")).isNull();
    }

    @Test
    void aModelIsNotKeptForWhoeverFindsItsLineFull() {
        Models models = models(0);

        assertThatThrownBy(() -> models.acquire("m", SlotFilter.any(), Duration.ofMillis(1)))
                .isInstanceOf(SlotQueueFullException.class);

        assertThat(models.get("m")).isNull();
    }

    @Test
    void aModelStaysWhileItHasAWorker() {
        Models models = models(8);
        Entry entry = new Entry(SomeWorkers.loading("w"));
        models.add(entry);

        assertThatThrownBy(() -> models.acquire(SomeWorkers.MODEL, SlotFilter.any(), Duration.ofMillis(1)))
                .isInstanceOf(SlotTimeoutException.class);

        assertThat(models.get(SomeWorkers.MODEL)).isNotNull();
        models.remove(entry, null);
        assertThat(models.get(SomeWorkers.MODEL)).isNull();
    }

    /** The filter refuses the worker in both looks of the search, and lets it pass once its caller is in the line. */
    @Test
    void whoeverGetsInLineLooksOnceMore() throws InterruptedException {
        Models models = models(8);
        models.add(new Entry(SomeWorkers.idle("w", 1)));
        AtomicInteger looks = new AtomicInteger();
        SlotFilter second = SlotFilter.any().where(worker -> looks.incrementAndGet() > 2);

        SlotLease lease = models.acquire(SomeWorkers.MODEL, second, Duration.ofSeconds(30));

        assertThat(lease.workerId()).isEqualTo("w");
        assertThat(looks).hasValue(3);
    }

    @Test
    void whoeverHasBeenServedOrSentAwayIsInLineNoMore() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        Entry entry = new Entry(SomeWorkers.idle("w", 2));
        model.add(entry);
        SlotLease first = model.tryTakeBest(null);
        SlotLease second = model.tryTakeBest(null);
        Waiter served = new Waiter(SlotFilter.any(), true);
        model.line().join(served);

        first.close();
        second.close();
        assertThat(served.result()).isNotNull();
        assertThat(model.line().isEmpty()).isTrue();
        assertThat(model.tryTakeBest(null)).as("the second slot is nobody's").isNotNull();

        Waiter sentAway = new Waiter(SlotFilter.any(), true);
        model.line().join(sentAway);
        model.remove(entry, null);
        model.changed();
        assertThatThrownBy(sentAway::result).isInstanceOf(NoSuchModelException.class);
        assertThat(model.line().isEmpty()).isTrue();
    }

    /** Each release asked every waiter's filter: a queue of 100,000 took milliseconds for each slot. */
    @Test
    void aSlotIsOfferedToEachFilterOnceHoweverManyWaitWithIt() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 100_000));
        model.add(new Entry(SomeWorkers.idle("w", 1)));
        SlotLease held = requireNonNull(model.tryTakeBest(null));
        AtomicInteger asked = new AtomicInteger();
        SlotFilter busyOnes = SlotFilter.any().where(worker -> asked.incrementAndGet() < 0);
        List<Waiter> waiting = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            waiting.add(new Waiter(busyOnes, true));
        }
        waiting.add(new Waiter(SlotFilter.any().onBackend("cpu"), true));
        waiting.forEach(waiter -> assertThat(model.line().join(waiter)).isEqualTo(Entrance.JOINED));

        held.close();

        SlotLease served = requireNonNull(waiting.get(10_000).result());
        assertThat(asked).as("once to have it, and once to let it pass").hasValue(2);
        asked.set(0);
        model.tryTake(SlotFilter.any().onDevice(0), null);
        served.close();
        model.changed();
        assertThat(asked).hasValueLessThan(10);
    }

    /** Each of them was asked again when the slot had gone to the first. */
    @Test
    void nobodyIsAskedWhenTheSlotHasGone() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        model.add(new Entry(SomeWorkers.idle("w", 2)));
        SlotLease first = requireNonNull(model.tryTakeBest(null));
        SlotLease second = requireNonNull(model.tryTakeBest(null));
        AtomicInteger asked = new AtomicInteger();
        for (int i = 0; i < 8; i++) {
            Waiter own = new Waiter(SlotFilter.any().where(worker -> asked.incrementAndGet() > 0), true);
            assertThat(model.line().join(own)).isEqualTo(Entrance.JOINED);
        }

        first.close();
        assertThat(asked).hasValue(1);
        second.close();

        assertThat(asked).hasValue(2);
    }

    /** Order is kept between groups: a group whose first has been served stands where its next one does. */
    @Test
    void thoseWithOneFilterDoNotPassThoseWithAnother() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        model.add(new Entry(SomeWorkers.idle("w", 1)));
        SlotLease lease = requireNonNull(model.tryTakeBest(null));
        List<Waiter> waiting = Stream.of(0, 1, 2, 0, 1, 0)
                .map(kind -> new Waiter(
                        switch (kind) {
                            case 0 -> SlotFilter.any();
                            case 1 -> SlotFilter.any().onBackend("cpu");
                            default -> SlotFilter.any().onDevice(0);
                        },
                        true))
                .toList();
        waiting.forEach(waiter -> assertThat(model.line().join(waiter)).isEqualTo(Entrance.JOINED));

        for (Waiter next : waiting) {
            lease.close();
            lease = requireNonNull(next.result());
        }
    }

    @Test
    void allOfAGroupAreSentAwayAndNobodyElse() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        Entry cuda = new Entry(SomeWorkers.worker("gpu").backend("cuda").build());
        model.add(cuda);
        model.add(new Entry(SomeWorkers.loading("w")));
        List<Waiter> waiting = Stream.of("cuda", "cpu", "cuda", "cuda", "cpu")
                .map(backend -> new Waiter(SlotFilter.any().onBackend(backend), true))
                .toList();
        waiting.forEach(waiter -> assertThat(model.line().join(waiter)).isEqualTo(Entrance.JOINED));

        model.remove(cuda, null);
        model.changed();

        for (Waiter waiter : waiting) {
            if (waiter.filter().fits("cuda", 0)) {
                assertThatThrownBy(waiter::result).isInstanceOf(NoSuchModelException.class);
            } else {
                assertThat(waiter.result()).isNull();
            }
        }
    }

    /** Two threads would take the first one's slot from each other for ever. */
    @Test
    void theWorkerThatAThreadUsedLastComesLastInItsSearch() {
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotRules.of(SlotSelection.PACK, 8));
        Entry first = new Entry(SomeWorkers.idle("first", 1));
        model.add(first);
        model.add(new Entry(SomeWorkers.idle("second", 1)));

        assertThat(requireNonNull(model.tryTakeBest(first)).workerId()).isEqualTo("second");
        assertThat(requireNonNull(model.tryTakeBest(first)).workerId()).isEqualTo("first");
    }

    /** Also if the slot was handed to it. */
    @Test
    void aThreadThatWaitedComesBackToItsWorker() throws Exception {
        WorkerRegistry registry = WorkerRegistry.create();
        registry.register(SomeWorkers.idle("first", 1));
        registry.register(SomeWorkers.idle("second", 1));
        SlotLease first = registry.tryAcquireFrom("first").orElseThrow();
        SlotLease second = registry.tryAcquireFrom("second").orElseThrow();
        FutureTask<String> waiting = new FutureTask<>(() -> {
            registry.acquire(SomeWorkers.MODEL, Duration.ofSeconds(30)).close();
            first.close(); // and now the first worker would be found first
            return registry.tryAcquire(SomeWorkers.MODEL).orElseThrow().workerId();
        });
        Thread waiter = new Thread(waiting);
        waiter.start();
        await().until(() -> waiter.getState() == Thread.State.TIMED_WAITING);

        second.close();

        assertThat(waiting.get()).isEqualTo("second");
        waiter.join();
    }

    /** More than the table of hints has places: two models share one, and must not share a worker. */
    @Test
    void eachOfManyModelsGivesItsOwnWorkerOnly() {
        WorkerRegistry registry = WorkerRegistry.create();
        for (int i = 0; i <= Hints.PLACES; i++) {
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
