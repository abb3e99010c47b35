package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A model that nobody has, and nobody waits for, is forgotten: callers may ask for any number of names. */
@ExtendWith(UnexpectedWarnings.class)
class ModelsTest {

    private static Models models(int longestLine) {
        return new Models(name -> new ModelSlots(name, SlotSelection.PACK, longestLine, null), new Hints(), false);
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
        ModelSlots model = new ModelSlots(SomeWorkers.MODEL, SlotSelection.PACK, 8, null);
        Entry entry = new Entry(SomeWorkers.idle("w", 2));
        model.add(entry);
        SlotLease first = model.tryTakeAny(null);
        SlotLease second = model.tryTakeAny(null);
        WaitingLine.Waiter served = new WaitingLine.Waiter(SlotFilter.any(), true);
        model.line().join(served);

        first.close();
        second.close();
        assertThat(served.result()).isNotNull();
        assertThat(model.line().isEmpty()).isTrue();
        assertThat(model.tryTakeAny(null)).as("the second slot is nobody's").isNotNull();

        WaitingLine.Waiter sentAway = new WaitingLine.Waiter(SlotFilter.any(), true);
        model.line().join(sentAway);
        model.remove(entry, null);
        model.changed();
        assertThatThrownBy(sentAway::result).isInstanceOf(NoSuchModelException.class);
        assertThat(model.line().isEmpty()).isTrue();
    }

    /** More than the table of hints has places: two models share one, and must not share a worker. */
    @Test
    void eachOfManyModelsGivesItsOwnWorkerOnly() {
        WorkerRegistry registry = WorkerRegistry.create();
        for (int i = 0; i < 20_000; i++) {
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
