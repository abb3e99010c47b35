package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.StressTasks.ATTEMPTS;
import static io.github.workerregistry.StressTasks.pause;
import static io.github.workerregistry.StressTasks.until;
import static io.github.workerregistry.StressTasks.untilEnough;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.ManyThreads.Action;
import io.github.workerregistry.WorkerState.Stopping;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Threads that acquire and close leases while others stop, remove or report the same worker. Bounded by counts, not by
 * time.
 */
@ExtendWith(UnexpectedWarnings.class)
class LeaseRaceStressTest {

    private static final int THREADS = 4;

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

    @Test
    void leasesNeverExceedSlotsAndNoSlotIsLost() throws Exception {
        Map<String, AtomicInteger> held = new HashMap<>();
        for (int slots = 1; slots <= 3; slots++) {
            registry.register(idle("w" + slots, slots));
            held.put("w" + slots, new AtomicInteger());
        }
        List<Integer> acquired = threads.results(THREADS, thread -> () -> {
            int count = 0;
            for (int i = 0; i < 20_000; i++) {
                Optional<SlotLease> found =
                        i % 3 == 0 ? registry.tryAcquireFrom("w" + (i % 2 + 1)) : registry.tryAcquire(MODEL);
                if (found.isPresent()) {
                    SlotLease lease = found.get();
                    AtomicInteger leases = held.get(lease.workerId());
                    int slots = lease.workerId().charAt(1) - '0';
                    assertThat(leases.incrementAndGet()).isLessThanOrEqualTo(slots);
                    if (i % 16 == 0) {
                        pause(); // so that other threads find no free slot
                    }
                    leases.decrementAndGet();
                    lease.close();
                    lease.close();
                    count++;
                }
            }
            return count;
        });

        assertThat(acquired).allMatch(count -> count > 0);
        assertThat(registry.list()).allSatisfy(worker -> {
            assertThat(worker.state()).isEqualTo(IDLE);
            assertThat(worker.slotsInUse()).isZero();
        });
    }

    @Test
    void leaseClosedByTwoThreadsFreesOneSlot() throws Exception {
        registry.register(idle("w", 2));
        for (int round = 0; round < 2_000; round++) {
            SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
            SlotLease other = registry.tryAcquireFrom("w").orElseThrow();
            threads.together(
                    () -> {
                        lease.close();
                        return null;
                    },
                    () -> {
                        lease.close();
                        return null;
                    });
            assertThat(now("w").slotsInUse()).isEqualTo(1);
            other.close();
        }
    }

    @Test
    void writesUnderALeaseAreVisibleUnderTheNext() throws Exception {
        registry.register(idle("w", 1));
        int[] plain = new int[1]; // guarded by the lease
        threads.results(THREADS, thread -> () -> {
            for (int i = 0; i < 20_000; ) {
                Optional<SlotLease> lease = registry.tryAcquire(MODEL);
                if (lease.isPresent()) {
                    plain[0]++;
                    lease.get().close();
                    i++;
                } else {
                    Thread.onSpinWait();
                }
            }
            return null;
        });

        assertThat(plain[0]).isEqualTo(THREADS * 20_000);
    }

    @Test
    void exactlyOneOfIdleStopAndLeaseWins() throws Exception {
        int stopped = 0;
        int rounds = 3_000;
        for (int round = 0; round < rounds; round++) {
            registry.register(idle("w", 2));
            WorkerInfo seen = now("w");

            List<Optional<?>> won = threads.together(
                    () -> registry.supervision().transitionIfUnchanged(seen, new Stopping(StopReason.IDLE_TIMEOUT)),
                    () -> registry.tryAcquireFrom("w"));

            assertThat(won).filteredOn(Optional::isPresent).hasSize(1);
            stopped += won.get(0).isPresent() ? 1 : 0;
            registry.remove("w");
        }
        assertThat(stopped).as("both outcomes occur").isBetween(1, rounds - 1);
    }

    /** Regression: a removal that had read an idle worker also removed one that was leased in the meantime. */
    @Test
    void exactlyOneOfIdleRemovalAndLeaseWins() throws Exception {
        int removed = 0;
        int rounds = 3_000;
        for (int round = 0; round < rounds; round++) {
            registry.register(idle("w", 2));
            WorkerInfo seen = now("w");

            List<Optional<?>> won = threads.together(
                    () -> registry.supervision().removeIfUnchanged(seen, StopReason.IDLE_TIMEOUT),
                    () -> registry.tryAcquireFrom("w"));

            assertThat(won).filteredOn(Optional::isPresent).hasSize(1);
            removed += won.get(0).isPresent() ? 1 : 0;
            registry.remove("w");
        }
        assertThat(removed).isBetween(1, rounds - 1);
    }

    /** The same without rounds: all removals here are idle removals, so an open lease is never void. */
    @Test
    void idleRemovalNeverInvalidatesAnOpenLease() throws Exception {
        registry.register(idle("w", 2));
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger removals = new AtomicInteger();
        AtomicInteger leases = new AtomicInteger();
        Action traffic = () -> registry.tryAcquireFrom("w").ifPresent(lease -> {
            pause();
            assertThat(lease.isValid()).isTrue();
            lease.close();
            leases.incrementAndGet();
            pause();
        });
        BooleanSupplier enough = () -> removals.get() >= 10_000 && leases.get() >= 10_000;

        threads.together(until(done, traffic), untilEnough(enough, done, () -> {
            WorkerInfo seen = now("w");
            boolean removed = seen.state().equals(IDLE)
                    && registry.supervision()
                            .removeIfUnchanged(seen, StopReason.IDLE_TIMEOUT)
                            .isPresent();
            if (removed) {
                removals.incrementAndGet();
                registry.register(idle("w", 2));
            }
            return removed;
        }));
    }

    @Test
    void leaseAcquiredWhileItsWorkerIsRemovedIsVoid() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            registry.register(idle("w", 1));

            List<Optional<?>> both = threads.together(() -> registry.remove("w"), () -> registry.tryAcquireFrom("w"));

            assertThat(both.get(0)).isPresent();
            both.get(1)
                    .ifPresent(
                            lease -> assertThat(((SlotLease) lease).isValid()).isFalse());
        }
    }

    @Test
    void exactlyOneOfReportedBusyAndLeaseWins() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            registry.register(idle("w", 2));

            List<Boolean> won = threads.together(
                    () -> {
                        try {
                            return registry.updateState("w", BUSY).isPresent();
                        } catch (IllegalTransitionException leased) {
                            return false;
                        }
                    },
                    () -> registry.tryAcquireFrom("w").isPresent());

            assertThat(won).containsExactlyInAnyOrder(true, false);
            assertThat(now("w").slotsInUse()).isEqualTo(won.get(0) ? 2 : 1);
            registry.remove("w");
        }
    }

    /** Regression: a read during the transition from Loading to Idle returned Idle though a slot was leased. */
    @Test
    void workerOfAnOpenLeaseIsNeverIdle() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger held = new AtomicInteger();
        threads.together(
                until(done, () -> {
                    SlotLease lease = registry.tryAcquireFrom("w").orElse(null);
                    if (lease != null) {
                        WorkerInfo worker = lease.worker();
                        if (lease.isValid()) {
                            assertThat(worker.state()).isNotEqualTo(IDLE); // Busy, or Loading just before
                            held.incrementAndGet();
                        }
                        lease.close();
                    }
                }),
                () -> {
                    for (int i = 0; (i < 200_000 || held.get() == 0) && i < ATTEMPTS && !done.get(); i++) {
                        registry.register(loading("w"));
                        registry.updateState("w", IDLE);
                        registry.remove("w");
                    }
                    done.set(true);
                    return null;
                });
        assertThat(held).hasPositiveValue();
    }
}
