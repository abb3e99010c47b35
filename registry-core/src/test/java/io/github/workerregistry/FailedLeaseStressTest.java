package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Many threads fail, close and query leases while checks pass and workers crash. */
@ExtendWith(UnexpectedWarnings.class)
class FailedLeaseStressTest {

    private static final int THREADS = 4;
    private static final int OPERATIONS = 20_000;
    private final IOException reset = new IOException("connection reset");

    private final ManyThreads threads = new ManyThreads();
    private final long seed = System.nanoTime();
    private final Queue<FailedLease> checked = new ConcurrentLinkedQueue<>();
    private final Queue<CompletableFuture<LeaseEnd>> ends = new ConcurrentLinkedQueue<>();
    private WorkerRegistry registry = WorkerRegistry.create();

    @AfterEach
    void endThreads() {
        threads.close();
        passAll();
    }

    private void passAll() {
        for (FailedLease next = checked.poll(); next != null; next = checked.poll()) {
            next.resume();
        }
    }

    private void restart(String id) {
        registry.get(id).ifPresent(worker -> registry.updateState(id, backingOff(worker)));
        registry.updateState(id, LOADING);
        registry.updateState(id, IDLE);
    }

    /** Any thread may close or fail any lease, and two threads the same one. */
    @ParameterizedTest
    @CsvSource({"PACK,1,1", "PACK,2,1", "PACK,2,3", "PACK,70,1", "SPREAD,1,3", "SPREAD,3,1", "SPREAD,70,2"})
    void neitherFailuresNorChecksLoseASlot(SlotSelection selection, int workers, int slots) throws Exception {
        registry = WorkerRegistry.builder().slotSelection(selection).build();
        registry.supervision().registerLeaseChecker(lease -> {
            checked.add(lease);
            return Optional.of(Duration.ofHours(1));
        });
        for (int i = 0; i < workers; i++) {
            registry.register(idle("w" + i, slots));
        }
        AtomicReferenceArray<SlotLease> held = new AtomicReferenceArray<>(2 * workers * slots);
        AtomicInteger restarts = new AtomicInteger();
        threads.together(THREADS, thread -> () -> {
            SplittableRandom random = new SplittableRandom(seed + thread);
            for (int i = 0; i < OPERATIONS; i++) {
                int place = random.nextInt(held.length());
                int what = random.nextInt(100);
                if (what < 40) {
                    acquire(held, place, random);
                } else if (what < 65) {
                    end(held.get(place), random.nextInt(3) > 0);
                } else if (what < 75) {
                    end(held.getAndSet(place, null), random.nextBoolean());
                } else if (what < 98) {
                    passCheck(random);
                } else if (thread == 0) {
                    restarts.incrementAndGet();
                    restart("w" + random.nextInt(workers));
                }
            }
        });

        for (int i = 0; i < held.length(); i++) {
            end(held.get(i), false);
        }
        passAll();
        assertThat(ends).as("seed %s", seed).isNotEmpty().allMatch(CompletableFuture::isDone);
        assertThat(ends)
                .as("seed %s", seed)
                .anyMatch(end -> end.join() instanceof LeaseEnd.Lost)
                .anyMatch(end -> end.join() instanceof LeaseEnd.Released);
        assertThat(restarts.get()).isPositive();
        assertThat(registry.list())
                .as("seed %s", seed)
                .allSatisfy(worker -> assertThat(worker.slotsInUse()).isZero());
        for (int i = 0; i < workers * slots; i++) {
            assertThat(registry.tryAcquire(MODEL))
                    .as("slot %s, seed %s", i, seed)
                    .isPresent();
        }
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
    }

    private void acquire(AtomicReferenceArray<SlotLease> held, int place, SplittableRandom random) {
        registry.tryAcquire(MODEL).ifPresent(lease -> {
            if (random.nextBoolean()) {
                ends.add(lease.whenEnded().toCompletableFuture());
            }
            end(held.getAndSet(place, lease), random.nextInt(4) == 0);
        });
    }

    private void end(SlotLease lease, boolean fails) {
        if (lease != null && fails) {
            lease.fail(reset);
            ends.add(lease.whenEnded().toCompletableFuture());
        } else if (lease != null) {
            lease.close();
        }
    }

    /** Passes a check, which may be outdated. */
    private void passCheck(SplittableRandom random) {
        FailedLease next = checked.poll();
        if (next != null && !next.resume() && random.nextInt(4) == 0) {
            checked.add(next);
        }
    }

    /** A lease has one end and one slot. */
    @ParameterizedTest
    @EnumSource(SlotSelection.class)
    void leaseClosedAndFailedAtOnceFreesOneSlot(SlotSelection selection) throws Exception {
        for (int slots = 1; slots <= 2; slots++) {
            registry = WorkerRegistry.builder().slotSelection(selection).build();
            registry.supervision().registerLeaseChecker(lease -> {
                checked.add(lease);
                return Optional.of(Duration.ofHours(1));
            });
            registry.register(idle("w", slots));
            for (int round = 0; round < 2_000; round++) {
                List<SlotLease> others = new ArrayList<>();
                for (int i = 1; i < slots; i++) {
                    others.add(registry.tryAcquire(MODEL).orElseThrow());
                }
                SlotLease lease = registry.tryAcquire(MODEL).orElseThrow();
                List<LeaseEnd> reported = new CopyOnWriteArrayList<>();
                lease.whenEnded().thenAccept(reported::add);
                threads.together(List.of(
                        () -> ended(lease::close), () -> ended(() -> lease.fail(reset)), () -> ended(() -> {})));
                assertThat(checked).hasSizeLessThanOrEqualTo(1);
                passAll();
                assertThat(reported).as("round %s, seed %s", round, seed).containsExactly(new LeaseEnd.Released());
                assertThat(registry.get("w").orElseThrow().slotsInUse()).isEqualTo(slots - 1);
                others.forEach(SlotLease::close);
            }
        }
    }

    private static boolean ended(Runnable end) {
        end.run();
        return true;
    }

    /** Different threads report the exit and the failure that it causes. */
    @Test
    void leaseThatFailsWhileItsWorkerCrashesIsLost() throws Exception {
        registry.supervision().registerLeaseChecker(lease -> {
            checked.add(lease);
            return Optional.of(Duration.ofHours(1));
        });
        for (int round = 0; round < 2_000; round++) {
            registry.register(idle("w", 1 + round % 2));
            SlotLease lease = registry.tryAcquire(MODEL).orElseThrow();
            CompletableFuture<LeaseEnd> asked = round % 3 == 0
                    ? new CompletableFuture<>()
                    : lease.whenEnded().toCompletableFuture();
            Exit crash = SomeWorkers.crash(idle("w", 1));
            threads.together(List.of(
                    () -> ended(() -> lease.fail(reset)),
                    () -> ended(() -> registry.supervision().remove(crash)),
                    () -> ended(() -> {
                        if (lease.lostWithin(Duration.ofNanos(100))) {
                            assertThat(registry.get("w")).isEmpty();
                        }
                    })));

            assertThat(lease.lostWithin(Duration.ZERO))
                    .as("round %s, seed %s", round, seed)
                    .isTrue();
            assertThat(lease.whenEnded().toCompletableFuture())
                    .isCompletedWithValue(new LeaseEnd.Lost(Optional.of(crash)));
            if (round % 3 > 0) {
                assertThat(asked).isCompletedWithValue(new LeaseEnd.Lost(Optional.of(crash)));
            }
            passAll();
        }
    }
}
