package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The wait queue under racing callers, releases and workers. Bounded by counts, not by time. */
@ExtendWith(UnexpectedWarnings.class)
class AcquireStressTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final SlotRequest ANY = SlotRequest.forModel(MODEL);
    private static final SlotRequest CUDA = ANY.onBackend("cuda");
    private static final SlotRequest CPU = ANY.onBackend("cpu");

    private final ManyThreads threads = new ManyThreads();
    private WorkerRegistry registry =
            WorkerRegistry.builder().waitQueueCapacity(20_000).build();

    @AfterEach
    void endThreads() {
        threads.close();
    }

    /** Starts a caller and returns once it is in the wait queue. */
    private Future<SlotLease> startWaiting(SlotRequest request) throws Exception {
        AtomicReference<Thread> caller = new AtomicReference<>();
        Future<SlotLease> lease = threads.start(() -> {
            caller.set(Thread.currentThread());
            return registry.acquire(request, LONG);
        });
        while (caller.get() == null) {
            Thread.onSpinWait();
        }
        ManyThreads.spinUntilParked(caller.get());
        return lease;
    }

    /**
     * Regression: between two reads, a caller that tried repeatedly found the slot that was released for the waiter.
     */
    @Test
    void repeatedTryAcquireDoesNotBarge() throws Exception {
        registry.register(idle("w", 1));
        for (int round = 0; round < 150; round++) {
            SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
            Future<SlotLease> first = startWaiting(ANY);
            AtomicBoolean done = new AtomicBoolean();
            Future<Optional<SlotLease>> barging = threads.start(() -> {
                Optional<SlotLease> acquired = Optional.empty();
                while (!done.get() && acquired.isEmpty()) {
                    acquired = registry.tryAcquire(MODEL);
                }
                return acquired;
            });
            for (int i = 0; i < round % 64; i++) {
                Thread.onSpinWait();
            }
            held.close();

            while (!first.isDone() && !barging.isDone()) {
                Thread.onSpinWait();
            }
            done.set(true);
            assertThat(ManyThreads.resultOf(barging))
                    .as("barged in round " + round)
                    .isEmpty();
            ManyThreads.resultOf(first).close();
        }
    }

    /**
     * The same within the wait queue: a slot that is released during a traversal is granted to the first waiter that
     * accepts it.
     */
    @Test
    void slotIsGrantedToTheFirstWaiterThatAcceptsIt() throws Exception {
        registry.register(worker("cuda").state(IDLE).backend("cuda").build());
        registry.register(worker("cpu").state(IDLE).backend("cpu").build());
        SlotLease full = registry.tryAcquireFrom("cpu").orElseThrow();
        for (int round = 0; round < 150; round++) {
            SlotLease held = registry.tryAcquireFrom("cuda").orElseThrow();
            Future<SlotLease> first = startWaiting(CUDA);
            Future<SlotLease> behind = startWaiting(ANY);
            AtomicBoolean done = new AtomicBoolean();
            Future<Void> barging = threads.start(() -> {
                while (!done.get()) {
                    assertThat(registry.tryAcquire(CPU)).isEmpty(); // traverses the wait queue
                }
                return null;
            });
            held.close();

            while (!first.isDone() && !behind.isDone()) {
                Thread.onSpinWait();
            }
            done.set(true);
            ManyThreads.resultOf(barging);
            assertThat(behind.isDone() && !first.isDone())
                    .as("barged in round " + round)
                    .isFalse();
            ManyThreads.resultOf(first).close();
            ManyThreads.resultOf(behind).close();
        }
        full.close();
    }

    /**
     * Regression: the last worker stopped between the check for it and the entry into the wait queue, and the waiter
     * was not notified.
     */
    @Test
    void callerThatJoinsWhileTheLastWorkerStopsFails() throws Exception {
        for (int round = 0; round < 3_000; round++) {
            registry.register(idle("w", 1));
            SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
            int late = round % 50;
            List<Callable<String>> tasks = List.of(
                    () -> {
                        try {
                            return registry.acquire(MODEL, LONG).toString();
                        } catch (NoWorkerException | SlotTimeoutException e) {
                            return e.getClass().getSimpleName();
                        }
                    },
                    () -> {
                        for (int i = 0; i < late; i++) {
                            Thread.onSpinWait();
                        }
                        registry.updateState("w", STOPPING);
                        return "NoWorkerException";
                    });

            assertThat(threads.<String>together(tasks)).as("round " + round).containsOnly("NoWorkerException");

            held.close();
            registry.remove("w");
        }
    }

    @Test
    void slotsReleasedByManyThreadsAreGrantedInOrder() throws Exception {
        registry.register(idle("w", 4));
        List<SlotLease> held = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            held.add(registry.tryAcquire(MODEL).orElseThrow());
        }
        for (int round = 0; round < 100; round++) {
            List<Future<SlotLease>> waiters = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                waiters.add(startWaiting(i % 3 == 0 ? CPU : ANY));
            }
            for (int four = 0; four < 8; four += 4) {
                List<SlotLease> closed = held;
                threads.together(4, thread -> () -> {
                    assertThat(registry.tryAcquire(MODEL)).isEmpty();
                    closed.get(thread).close();
                });
                held = new ArrayList<>();
                while (waiters.stream().filter(Future::isDone).count() < four + 4) {
                    Thread.onSpinWait();
                }
                for (Future<SlotLease> next : waiters.subList(four, four + 4)) {
                    assertThat(next.isDone())
                            .as("served in order, in round " + round)
                            .isTrue();
                    held.add(ManyThreads.resultOf(next));
                }
            }
        }
    }

    @Test
    void neitherTimeoutsNorInterruptsLoseASlot() throws Exception {
        registry.register(idle("v", 1));
        registry.register(idle("w", 2));
        long seed = System.nanoTime();
        Thread[] callers = new Thread[6];
        AtomicInteger running = new AtomicInteger(callers.length);
        int[] ends = new int[3]; // leases, timeouts, interrupts; approximate, not synchronised
        threads.together(callers.length + 1, thread -> () -> {
            SplittableRandom random = new SplittableRandom(seed + thread);
            if (thread == callers.length) {
                while (running.get() > 0) {
                    Thread caller = callers[random.nextInt(callers.length)];
                    if (caller != null) {
                        caller.interrupt();
                    }
                    for (int i = random.nextInt(2_000); i > 0; i--) {
                        Thread.onSpinWait();
                    }
                }
                return;
            }
            callers[thread] = Thread.currentThread();
            try {
                for (int i = 0; i < 10_000; i++) {
                    SlotRequest request = random.nextInt(4) == 0 ? ANY.excluding("v") : ANY;
                    try (SlotLease lease = registry.acquire(request, Duration.ofNanos(random.nextInt(200_000)))) {
                        assertThat(lease.isValid()).isTrue();
                        ends[0]++;
                        for (int pause = random.nextInt(500); pause > 0; pause--) {
                            Thread.onSpinWait();
                        }
                    } catch (SlotTimeoutException e) {
                        ends[1]++;
                    } catch (InterruptedException e) {
                        ends[2]++;
                    }
                }
            } finally {
                running.decrementAndGet();
            }
        });

        assertThat(ends).as("seed " + seed).doesNotContain(0);
        assertThat(registry.stats().slotsInUse()).as("seed " + seed).isZero();
        for (int i = 0; i < 3; i++) {
            assertThat(registry.tryAcquire(MODEL)).as("seed " + seed).isPresent();
        }
        assertThat(registry.tryAcquire(MODEL)).as("seed " + seed).isEmpty();
    }

    /**
     * Regression: a traversal that passed the place of the new worker before its registration, and that of the old one
     * after its removal, found neither.
     */
    @Test
    void requestDoesNotFailWhileOneWorkerReplacesAnother() throws Exception {
        registry.register(worker("w0").build());
        for (int i = 0; i < 1000; i++) { // they make the traversal slow
            registry.register(worker("stopping-" + i).state(STOPPING).build());
        }
        AtomicBoolean over = new AtomicBoolean();
        Future<Void> registering = threads.start(() -> {
            for (int i = 0; !over.get(); i++) {
                registry.register(worker("w" + (i + 1)).build());
                spinUntil("w" + i, false, over);
            }
            return null;
        });
        Future<Void> removing = threads.start(() -> {
            for (int i = 0; !over.get(); i++) {
                spinUntil("w" + (i + 1), true, over);
                registry.remove("w" + i);
            }
            return null;
        });
        try {
            for (int i = 0; i < 20_000; i++) {
                assertThat(isUnservable()).as("try " + i).isFalse();
            }
        } finally {
            over.set(true);
        }
        ManyThreads.resultOf(registering);
        ManyThreads.resultOf(removing);
    }

    @SuppressWarnings("ThreadPriorityCheck") // there may be fewer cores than threads
    private void spinUntil(String id, boolean isRegistered, AtomicBoolean over) {
        while (registry.get(id).isPresent() != isRegistered && !over.get()) {
            Thread.yield();
        }
    }

    private boolean isUnservable() throws InterruptedException {
        try {
            registry.acquire(MODEL, Duration.ZERO);
        } catch (SlotTimeoutException loading) {
            return false;
        } catch (NoWorkerException e) {
            return true;
        }
        throw new AssertionError("acquired a slot of a loading worker");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everyCallerReturnsWhileWorkersAreRegisteredAndRemoved(boolean failIfAbsent) throws Exception {
        registry = WorkerRegistry.builder().failIfAbsent(failIfAbsent).build();
        long seed = System.nanoTime();
        AtomicInteger running = new AtomicInteger(4);
        AtomicInteger served = new AtomicInteger();
        threads.together(5, thread -> () -> {
            SplittableRandom random = new SplittableRandom(seed + thread);
            if (thread == 4) {
                while (running.get() > 0) {
                    step("w" + random.nextInt(3), random.nextInt(10));
                }
                return;
            }
            try {
                for (int i = 0; i < 20_000; i++) {
                    SlotRequest request = random.nextInt(4) == 0 ? ANY.onDevice(0) : ANY;
                    try (SlotLease lease = registry.acquire(request, LONG)) {
                        served.incrementAndGet();
                    } catch (NoWorkerException e) {
                        assertThat(failIfAbsent).as("seed " + seed).isTrue();
                    } catch (SlotTimeoutException e) {
                        throw new AssertionError("a waiter was not served; seed " + seed, e);
                    }
                }
            } finally {
                running.decrementAndGet();
            }
        });

        assertThat(served).as("seed " + seed).hasPositiveValue();
        for (WorkerInfo worker : registry.list()) {
            if (worker.state().routable()) {
                registry.updateState(worker.id(), IDLE); // clears a reported occupancy; refused if a lease is open
            }
        }
        assertThat(registry.stats().slotsInUse()).as("seed " + seed).isZero();
    }

    /** One step of a worker. A step that is refused does nothing. */
    private void step(String id, int what) {
        try {
            switch (what) {
                case 0 -> registry.register(worker(id).slotsTotal(2).build());
                case 1 -> registry.register(idle(id, 2));
                case 2, 3, 4 -> registry.updateState(id, IDLE);
                case 5 -> registry.get(id).ifPresent(worker -> registry.updateState(id, backingOff(worker)));
                case 6 -> registry.updateState(id, LOADING);
                case 7 -> registry.updateState(id, BUSY);
                case 8 -> registry.updateState(id, STOPPING);
                default -> registry.remove(id);
            }
        } catch (IllegalTransitionException | DuplicateWorkerException refused) {
            // the next step follows
        }
    }

    @Test
    @EnabledForJreRange(min = JRE.JAVA_21)
    @SuppressWarnings("ThreadPriorityCheck") // it yields its carrier
    void tenThousandVirtualThreadsShareThreeSlots() throws Exception {
        registry.register(idle("w", 3));
        ExecutorService virtual = (ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        AtomicInteger open = new AtomicInteger();
        List<Future<Void>> callers = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            callers.add(virtual.submit(() -> {
                try (SlotLease lease = registry.acquire(MODEL, LONG)) {
                    assertThat(open.incrementAndGet()).isLessThanOrEqualTo(3);
                    Thread.yield(); // while the slot is leased
                    open.decrementAndGet();
                    return null;
                }
            }));
        }
        for (Future<Void> caller : callers) {
            ManyThreads.resultOf(caller);
        }
        virtual.shutdown();

        assertThat(registry.stats().slotsInUse()).isZero();
    }
}
