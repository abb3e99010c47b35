package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.StressTasks.ATTEMPTS;
import static io.github.workerregistry.StressTasks.pause;
import static io.github.workerregistry.StressTasks.times;
import static io.github.workerregistry.StressTasks.until;
import static io.github.workerregistry.StressTasks.untilEnough;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.ManyThreads.Action;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Leases of workers that are stopped, restarted and removed under traffic. Bounded by counts, not by time. */
@ExtendWith(UnexpectedWarnings.class)
class LeaseLifecycleStressTest {

    private final ManyThreads threads = new ManyThreads();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().eventQueueCapacity(1_000_000).build();

    @AfterEach
    void endThreads() {
        threads.close();
    }

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    /**
     * Regression: the slots in use were counted at another moment than the word was read that the transition replaced.
     * An open lease became void, or a closed one stayed counted.
     */
    @Test
    void stopUnderTrafficCountsExactlyTheOpenLeases() throws Exception {
        registry.register(idle("w", 4));
        AtomicBoolean done = new AtomicBoolean();
        Action traffic = () -> registry.tryAcquireFrom("w").ifPresent(lease -> {
            assertThat(lease.isValid()).isTrue();
            lease.close();
        });
        Action stopDrainRestart = () -> {
            registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
            for (int reads = 0; now("w").slotsInUse() > 0; reads++) {
                assertThat(reads).as("reads of slots in use").isLessThan(ATTEMPTS);
                pause(reads);
            }
            registry.updateState("w", backingOff(now("w")));
            registry.updateState("w", LOADING);
            registry.updateState("w", IDLE);
            pause();
        };

        threads.together(until(done, traffic), until(done, traffic), times(20_000, done, stopDrainRestart));
    }

    @Test
    void reportedOccupancyIsSeparateFromLeasesUnderTraffic() throws Exception {
        registry.register(idle("w", 3));
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger reports = new AtomicInteger();
        Action traffic = () -> registry.tryAcquireFrom("w").ifPresent(SlotLease::close);
        Callable<Boolean> reportBusyThenIdle = () -> {
            try {
                registry.updateState("w", BUSY);
            } catch (IllegalTransitionException leased) {
                return false;
            }
            reports.incrementAndGet();
            for (int i = 0; i < 20; i++) {
                assertThat(now("w").slotsInUse()).isEqualTo(3);
            }
            registry.updateState("w", IDLE);
            return true;
        };

        threads.together(until(done, traffic), untilEnough(() -> reports.get() >= 10_000, done, reportBusyThenIdle));

        assertThat(now("w").state()).isEqualTo(IDLE);
    }

    @Test
    void leasesOfEarlierGenerationsFreeNoSlot() throws Exception {
        registry.register(idle("w", 3));
        AtomicBoolean done = new AtomicBoolean();
        BlockingQueue<SlotLease> old = new LinkedBlockingQueue<>();
        Map<Integer, AtomicInteger> open = IntStream.range(0, 10_100)
                .boxed()
                .collect(toMap(Function.identity(), generation -> new AtomicInteger()));
        Action traffic = () -> registry.tryAcquireFrom("w").ifPresent(lease -> {
            assertThat(open.get(lease.generation()).incrementAndGet()).isLessThanOrEqualTo(3);
            if (old.size() > 50) {
                closeAndCount(old.remove(), open);
            }
            if (lease.isValid()) {
                closeAndCount(lease, open);
            } else {
                old.add(lease);
            }
        });
        Action restart = () -> {
            registry.updateState("w", backingOff(now("w")));
            registry.updateState("w", LOADING);
            registry.updateState("w", IDLE);
        };

        threads.together(until(done, traffic), times(10_000, done, restart));

        assertThat(now("w").generation()).isEqualTo(10_001);
        old.forEach(SlotLease::close);
        assertThat(now("w").slotsInUse()).isZero();
        assertThat(now("w").state()).isEqualTo(IDLE);
    }

    private static void closeAndCount(SlotLease lease, Map<Integer, AtomicInteger> open) {
        open.get(lease.generation()).decrementAndGet();
        lease.close();
    }

    @Test
    void leasesOfARemovedWorkerFreeNoSlotOfItsSuccessor() throws Exception {
        registry.register(idle("w", 2));
        AtomicBoolean done = new AtomicBoolean();
        ConcurrentLinkedQueue<SlotLease> kept = new ConcurrentLinkedQueue<>();
        Action traffic = () -> {
            registry.tryAcquire(MODEL).ifPresent(lease -> {
                kept.add(lease);
                SlotLease oldest = kept.size() > 1 ? kept.poll() : null;
                if (oldest != null) {
                    oldest.close();
                }
            });
        };

        threads.together(until(done, traffic), until(done, traffic), times(20_000, done, () -> {
            WorkerInfo removed = registry.remove("w").orElseThrow();
            assertThat(registry.tryAcquireFrom("w")).isEmpty();
            registry.register(removed.toBuilder().state(IDLE).slotsInUse(0).build());
        }));

        kept.forEach(SlotLease::close);
        assertThat(now("w").slotsInUse()).isZero();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
    }
}
