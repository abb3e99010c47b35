package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Grants race with cancellations and timeouts: each request ends once, and no slot is lost. */
@ExtendWith(UnexpectedWarnings.class)
class AcquireAsyncStressTest {

    private static final SlotRequest REQUEST = SlotRequest.forModel(MODEL);
    private static final int THREADS = 4;
    private static final int PER_THREAD = 250_000;

    private final WorkerRegistry registry =
            WorkerRegistry.builder().waitQueueCapacity(1_000_000).build();
    private final LongAdder granted = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder cancelled = new LongAdder();

    private PendingSlot request(Duration timeout) {
        PendingSlot pending = registry.acquireAsync(REQUEST, timeout, Runnable::run);
        pending.lease().whenComplete((lease, failure) -> {
            if (lease != null) {
                granted.increment();
                lease.close();
            } else {
                failed.increment();
            }
        });
        return pending;
    }

    @Test
    void millionRequestsThatAreGrantedOrCancelledLoseNoSlot() throws Exception {
        registry.register(idle("w1", 1));
        registry.register(idle("w2", 3));
        try (ManyThreads threads = new ManyThreads()) {
            threads.together(THREADS, thread -> () -> {
                for (int i = 0; i < PER_THREAD; i += 10) {
                    requestAndCancelTen();
                }
            });
        }

        assertThat(granted.sum() + failed.sum()).isEqualTo((long) THREADS * PER_THREAD);
        assertThat(failed.sum()).as("only cancellations").isEqualTo(cancelled.sum());
        requireAllSlotsFree();
    }

    /** While this thread holds a slot, its requests wait, and are granted and cancelled by two threads. */
    private void requestAndCancelTen() {
        SlotLease held = registry.tryAcquire(MODEL).orElse(null);
        List<PendingSlot> requests = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            requests.add(request(Duration.ofMinutes(1)));
        }
        boolean first = ThreadLocalRandom.current().nextBoolean();
        for (int i = 0; i < 10; i++) {
            if (i == 5 && held != null) {
                held.close();
            }
            if ((i % 2 == 0) == first && requests.get(i).cancel()) {
                cancelled.increment();
            }
        }
    }

    @Test
    void requestsThatAreGrantedOrTimeOutLoseNoSlot() throws Exception {
        registry.register(idle("w", 2));
        int each = 20_000;
        try (ManyThreads threads = new ManyThreads()) {
            threads.together(THREADS, thread -> () -> {
                for (int i = 0; i < each; i++) {
                    SlotLease held = registry.tryAcquire(MODEL).orElse(null);
                    request(Duration.ofNanos(ThreadLocalRandom.current().nextInt(1, 200_000)));
                    StressTasks.pause();
                    if (held != null) {
                        held.close();
                    }
                }
            });
        }
        await().untilAsserted(() -> assertThat(granted.sum() + failed.sum()).isEqualTo((long) THREADS * each));
        assertThat(failed.sum()).isEqualTo(registry.stats().timedOut());
        requireAllSlotsFree();
    }

    private void requireAllSlotsFree() {
        RegistryStats stats = registry.stats();
        assertThat(stats.slotsInUse()).isZero();
        assertThat(stats.waiting()).isZero();
        assertThat(stats.cancelled()).isEqualTo(cancelled.sum());
        List<SlotLease> all = new ArrayList<>();
        for (int i = 0; i < stats.slotsTotal(); i++) {
            all.add(registry.tryAcquire(MODEL).orElseThrow());
        }
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        all.forEach(SlotLease::close);
    }

    @Test
    void workerThatIsRemovedWhileThousandsWaitFailsThemAll() throws Exception {
        int waiting = 10_000;
        registry.register(idle("w", 1));
        SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
        for (int i = 0; i < waiting; i++) {
            request(Duration.ofMinutes(10));
        }
        assertThat(registry.waiting(MODEL)).isEqualTo(waiting);

        registry.remove("w");
        held.close();

        assertThat(failed.sum()).isEqualTo(waiting);
        assertThat(registry.stats().refused()).isEqualTo(waiting);
        assertThat(registry.waiting(MODEL)).isZero();
    }
}
