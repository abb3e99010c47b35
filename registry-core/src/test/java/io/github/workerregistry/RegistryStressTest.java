package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerEvent.BecameReady;
import io.github.workerregistry.WorkerEvent.Crashed;
import io.github.workerregistry.WorkerEvent.OfWorker;
import io.github.workerregistry.WorkerEvent.Registered;
import io.github.workerregistry.WorkerEvent.Removed;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.testing.RecordingListener;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Real threads that meet at the same moment, many rounds of it. Bounded by counts, not by time. */
@ExtendWith(UnexpectedWarnings.class)
class RegistryStressTest {

    private static final int THREADS = 4;
    private static final int PATIENCE_SECONDS = 100; // below the time that JUnit gives a test

    /** What a thread may do in vain: whoever is in its way may be off its core for longer than many attempts last. */
    private static final int ATTEMPTS = 20_000_000;

    private static final ExecutorService threads = Executors.newCachedThreadPool();

    private final WorkerRegistry registry =
            WorkerRegistry.builder().eventQueueCapacity(1_000_000).build();

    @AfterAll
    static void endThreads() throws InterruptedException {
        threads.shutdownNow();
        assertThat(threads.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    /**
     * Runs all tasks, each on a thread of its own and all from the same moment on, and gives their results in order.
     */
    @SafeVarargs
    private static <T> List<T> together(Callable<? extends T>... tasks) throws Exception {
        AtomicInteger missing = new AtomicInteger(tasks.length);
        List<Future<T>> running = new ArrayList<>();
        for (Callable<? extends T> task : tasks) {
            running.add(threads.submit(() -> {
                missing.decrementAndGet();
                awaitNone(missing);
                return task.call();
            }));
        }
        List<T> results = new ArrayList<>();
        for (Future<T> each : running) {
            try {
                results.add(each.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
            } catch (ExecutionException e) {
                throw new AssertionError("a thread failed", e.getCause());
            }
        }
        return results;
    }

    /** One task per thread, made from the thread's number. */
    private static <T> List<T> together(IntFunction<Callable<T>> task) throws Exception {
        @SuppressWarnings({"unchecked", "rawtypes"})
        Callable<T>[] tasks = IntStream.range(0, THREADS).mapToObj(task).toArray(Callable[]::new);
        return together(tasks);
    }

    /** A task that repeats an action until the other says that it is done, and that ends it for others if it fails. */
    private static Callable<Void> until(AtomicBoolean done, Action action) {
        return () -> {
            try {
                while (!done.get()) {
                    action.run();
                }
                return null;
            } finally {
                done.set(true);
            }
        };
    }

    /** A task that does an action so many times and then says that all is done. */
    private static Callable<Void> times(int count, AtomicBoolean done, Action action) {
        return () -> {
            try {
                for (int i = 0; i < count && !done.get(); i++) {
                    action.run();
                }
                return null;
            } finally {
                done.set(true);
            }
        };
    }

    /**
     * A task that repeats an action until enough has happened, and then says that all is done. After each attempt that
     * came to nothing it yields: whoever is in the way may have been taken off its core for longer than many attempts
     * last.
     */
    @SuppressWarnings("ThreadPriorityCheck")
    private static Callable<Void> untilEnough(BooleanSupplier enough, AtomicBoolean done, Callable<Boolean> attempt) {
        return () -> {
            try {
                for (int attempts = 0; !enough.getAsBoolean() && !done.get(); attempts++) {
                    assertThat(attempts).as("attempts").isLessThan(ATTEMPTS);
                    if (!attempt.call()) {
                        Thread.yield();
                    }
                }
                return null;
            } finally {
                done.set(true);
            }
        };
    }

    /** Spins, so that all go on at the same moment; a thread that waited on a lock would come late. */
    @SuppressWarnings("ThreadPriorityCheck") // yields to those who are missing, if there are fewer cores than threads
    private static void awaitNone(AtomicInteger missing) {
        while (missing.get() > 0) {
            pause();
            Thread.yield();
        }
    }

    /** Spins at first, as what is waited for is about to come, and yields once it is late. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static void pause(int looks) {
        if (looks < 1_000) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }

    private static void pause() {
        for (int i = 0; i < 50; i++) {
            Thread.onSpinWait();
        }
    }

    private interface Action {
        void run() throws Exception;
    }

    @Test
    void thereAreNeverMoreLeasesThanSlotsAndNoneIsLost() throws Exception {
        Map<String, AtomicInteger> held = new HashMap<>();
        for (int slots = 1; slots <= 3; slots++) {
            registry.register(idle("w" + slots, slots));
            held.put("w" + slots, new AtomicInteger());
        }
        List<Integer> taken = together(thread -> () -> {
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
                        pause(); // so that others meet full workers
                    }
                    leases.decrementAndGet();
                    lease.close();
                    lease.close();
                    count++;
                }
            }
            return count;
        });

        assertThat(taken).allMatch(count -> count > 0);
        assertThat(registry.list()).allSatisfy(worker -> {
            assertThat(worker.state()).isEqualTo(IDLE);
            assertThat(worker.slotsInUse()).isZero();
        });
    }

    @Test
    void aLeaseMayBeClosedByAnyThreadAndByAllAtOnce() throws Exception {
        registry.register(idle("w", 2));
        for (int round = 0; round < 2_000; round++) {
            SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
            SlotLease other = registry.tryAcquireFrom("w").orElseThrow();
            together(
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
    void whatWasDoneUnderALeaseIsSeenUnderTheNext() throws Exception {
        registry.register(idle("w", 1));
        int[] plain = new int[1]; // guarded by the lease
        together(thread -> () -> {
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
    void ofIdleStopAndLeaseExactlyOneWins() throws Exception {
        int stopped = 0;
        int rounds = 3_000;
        for (int round = 0; round < rounds; round++) {
            registry.register(idle("w", 2));
            WorkerInfo seen = now("w");

            List<Optional<?>> won = together(
                    () -> registry.updateStateIfUnchanged(seen, new Stopping(Exit.Cause.IDLE_TIMEOUT)),
                    () -> registry.tryAcquireFrom("w"));

            assertThat(won).filteredOn(Optional::isPresent).hasSize(1);
            stopped += won.get(0).isPresent() ? 1 : 0;
            registry.remove("w");
        }
        assertThat(stopped).as("a race that always ends alike is none").isBetween(1, rounds - 1);
    }

    /** The removal looked, and then removed whatever was there: a worker that had just been leased, too. */
    @Test
    void ofIdleRemovalAndLeaseExactlyOneWins() throws Exception {
        int removed = 0;
        int rounds = 3_000;
        for (int round = 0; round < rounds; round++) {
            registry.register(idle("w", 2));
            WorkerInfo seen = now("w");

            List<Optional<?>> won = together(
                    () -> registry.removeIfUnchanged(seen, Exit.Cause.IDLE_TIMEOUT),
                    () -> registry.tryAcquireFrom("w"));

            assertThat(won).filteredOn(Optional::isPresent).hasSize(1);
            removed += won.get(0).isPresent() ? 1 : 0;
            registry.remove("w");
        }
        assertThat(removed).isBetween(1, rounds - 1);
    }

    /**
     * The same without rounds: only removals for idleness happen here, so no lease may ever be void while it is open.
     */
    @Test
    void aRemovalForIdlenessTakesNoLeaseAway() throws Exception {
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

        together(until(done, traffic), untilEnough(enough, done, () -> {
            WorkerInfo seen = now("w");
            boolean removed = seen.state().equals(IDLE)
                    && registry.removeIfUnchanged(seen, Exit.Cause.IDLE_TIMEOUT).isPresent();
            if (removed) {
                removals.incrementAndGet();
                registry.register(idle("w", 2));
            }
            return removed;
        }));
    }

    @Test
    void aLeaseTakenWhileItsWorkerIsRemovedIsVoid() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            registry.register(idle("w", 1));

            List<Optional<?>> both = together(() -> registry.remove("w"), () -> registry.tryAcquireFrom("w"));

            assertThat(both.get(0)).isPresent();
            both.get(1)
                    .ifPresent(
                            lease -> assertThat(((SlotLease) lease).isValid()).isFalse());
        }
    }

    @Test
    void ofReportedBusyAndLeaseExactlyOneWins() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            registry.register(idle("w", 2));

            List<Boolean> won = together(
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

    /**
     * Slots in use were counted at another moment than the word was read that the transition replaced: an open lease
     * became void, or a closed one stayed on the books for ever.
     */
    @Test
    void aStopUnderTrafficCountsExactlyTheLeasesThatAreOpen() throws Exception {
        registry.register(idle("w", 4));
        AtomicBoolean done = new AtomicBoolean();
        Action traffic = () -> registry.tryAcquireFrom("w").ifPresent(lease -> {
            assertThat(lease.isValid()).isTrue();
            lease.close();
        });
        Action stopDrainRestart = () -> {
            registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
            for (int looks = 0; now("w").slotsInUse() > 0; looks++) {
                assertThat(looks).as("looks at leases that nobody closes").isLessThan(ATTEMPTS);
                pause(looks);
            }
            registry.updateState("w", backingOff(now("w")));
            registry.updateState("w", LOADING);
            registry.updateState("w", IDLE);
            pause();
        };

        together(until(done, traffic), until(done, traffic), times(20_000, done, stopDrainRestart));
    }

    @Test
    void reportsUnderTrafficKeepWhatIsReportedAndWhatIsLeasedApart() throws Exception {
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

        together(until(done, traffic), untilEnough(() -> reports.get() >= 10_000, done, reportBusyThenIdle));

        assertThat(now("w").state()).isEqualTo(IDLE);
    }

    @Test
    void leasesThatOutliveRestartsFreeNobodysSlot() throws Exception {
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

        together(until(done, traffic), times(10_000, done, restart));

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
    void leasesOfARemovedWorkerAreVoidAndItsSuccessorIsWhole() throws Exception {
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

        together(until(done, traffic), until(done, traffic), times(20_000, done, () -> {
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

    @Test
    void ofManyThatRegisterOneIdExactlyOneWins() throws Exception {
        for (int round = 0; round < 1_000; round++) {
            List<Optional<WorkerInfo>> won = together(thread -> () -> {
                WorkerInfo worker = idle("w", thread + 1);
                try {
                    registry.register(worker);
                    return Optional.of(worker);
                } catch (DuplicateWorkerException e) {
                    return Optional.empty();
                }
            });

            assertThat(won).filteredOn(Optional::isPresent).hasSize(1).containsExactly(registry.get("w"));
            assertThat(registry.list()).hasSize(1);
            registry.remove("w");
        }
        assertThat(registry.stats().registered()).isEqualTo(1_000);
    }

    @Test
    void ofManyThatRemoveOneWorkerExactlyOneGetsIt() throws Exception {
        for (int round = 0; round < 500; round++) {
            WorkerInfo worker = idle("w", 1);
            registry.register(worker);

            List<Optional<WorkerInfo>> won = together(
                    () -> registry.remove("w"),
                    () -> registry.removeIfUnchanged(worker, Exit.Cause.REQUESTED),
                    () -> registry.clear().stream().findFirst());

            assertThat(won).filteredOn(Optional::isPresent).containsExactly(Optional.of(worker));
        }
    }

    @Test
    void listSeesOneMoment() throws Exception {
        List<String> ids = List.of("a", "b", "c", "d", "e");
        AtomicBoolean done = new AtomicBoolean();

        together(
                times(20_000, done, () -> {
                    ids.forEach(id -> registry.register(loading(id)));
                    registry.clear();
                }),
                until(done, () -> {
                    List<String> seen =
                            registry.list().stream().map(WorkerInfo::id).toList();
                    assertThat(seen).isEqualTo(ids.subList(0, seen.size()));
                    assertThat(registry.stats().workers()).isBetween(0, 5);
                }));
    }

    /** A baton is passed on before it is dropped, so that a look at one moment always sees somebody hold it. */
    @Test
    void listNeverMissesAWorkerThatIsReplaced() throws Exception {
        registry.register(idle("a", 1));
        AtomicBoolean done = new AtomicBoolean();

        together(
                times(20_000, done, () -> {
                    registry.register(idle("b", 1));
                    registry.remove("a");
                    registry.register(idle("a", 1));
                    registry.remove("b");
                }),
                until(done, () -> {
                    assertThat(registry.list()).hasSizeBetween(1, 2);
                    assertThat(registry.idleWorkers()).hasSizeBetween(1, 2);
                    assertThat(registry.stats().workers()).isBetween(1, 2);
                }));
    }

    @Test
    void getSeesAWorkersLifeInOrder() throws Exception {
        registry.register(idle("w", 4));
        AtomicBoolean done = new AtomicBoolean();
        Callable<Void> reader = () -> {
            long last = 0;
            while (!done.get()) {
                long moment = momentOf(now("w"));
                assertThat(moment).isGreaterThanOrEqualTo(last);
                last = moment;
            }
            return null;
        };

        together(reader, until(done, () -> registry.tryAcquireFrom("w")), times(20_000, done, () -> {
            registry.tryAcquireFrom("w");
            registry.heartbeat("w");
            registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
            registry.updateState("w", backingOff(now("w")));
            registry.updateState("w", LOADING);
            registry.updateState("w", IDLE);
        }));
    }

    /** A number that grows along a worker's life, with the free coming and going of leases left out. */
    private static long momentOf(WorkerInfo worker) {
        WorkerState state = worker.state();
        int phase = state instanceof Loading ? 0 : state.routable() ? 1 : state instanceof Stopping ? 2 : 3;
        return worker.generation() * 4L + phase;
    }

    /**
     * A worker may come back under the same id with another model, between the look into the model's index and the look
     * at the worker.
     */
    @Test
    void aWorkerIsNeverFoundUnderAModelThatItDoesNotServe() throws Exception {
        IntStream.range(0, 200).forEach(i -> registry.register(loading("loading" + i)));
        WorkerInfo small = idle("w", 1);
        WorkerInfo large = small.toBuilder().modelRef("large").build();
        AtomicBoolean done = new AtomicBoolean();

        together(
                times(4_000, done, () -> {
                    registry.register(small);
                    registry.remove("w");
                    registry.register(large);
                    registry.remove("w");
                }),
                until(done, () -> {
                    assertThat(registry.findByNodeAndModel("local", MODEL))
                            .map(WorkerInfo::modelRef)
                            .contains(MODEL);
                    assertThat(registry.findIdleWorker(MODEL))
                            .map(WorkerInfo::modelRef)
                            .isIn(Optional.empty(), Optional.of(MODEL));
                }));
    }

    @Test
    void noFailedCheckAndNoHeartbeatIsLost() throws Exception {
        registry.register(idle("w", 2));
        int each = 5_000;
        together(thread -> () -> {
            for (int i = 0; i < each; i++) {
                registry.incrementFailedHealthChecks("w");
                registry.heartbeat("w");
                registry.tryAcquireFrom("w").ifPresent(SlotLease::close);
                registry.get("w");
            }
            return null;
        });

        assertThat(now("w").failedHealthChecks()).isEqualTo(THREADS * each);
        assertThat(registry.stats().healthChecksFailed()).isEqualTo((long) THREADS * each);
        assertThat(now("w").lastHeartbeat()).isPresent();
        assertThat(now("w").slotsInUse()).isZero();
    }

    /** What the events tell, replayed, is what happened: no event is lost, told twice or told out of order. */
    @Test
    void eventsOfManyThreadsHaveOneOrder() throws Exception {
        RecordingListener heard = new RecordingListener();
        registry.subscribe(heard, Runnable::run);
        together(thread -> () -> {
            SplittableRandom random = new SplittableRandom(thread);
            for (int i = 0; i < 5_000; i++) {
                step("w" + random.nextInt(3), random.nextInt(6));
            }
            return null;
        });
        registry.clear();

        Map<String, Long> phases = new HashMap<>();
        for (WorkerEvent event : heard.events()) {
            WorkerInfo worker = ((OfWorker) event).worker();
            Long before = phases.get(worker.id());
            if (event instanceof Registered) {
                assertThat(before).as("%s", event).isNull();
            } else {
                assertThat(before).as("%s", event).isNotNull().isLessThanOrEqualTo(momentOf(worker));
            }
            if (event instanceof Removed) {
                phases.remove(worker.id());
            } else {
                phases.put(worker.id(), momentOf(worker));
            }
        }
        assertThat(phases).isEmpty();
        RegistryStats stats = registry.stats();
        assertThat(heard.events()).filteredOn(Registered.class::isInstance).hasSize((int) stats.registered());
        assertThat(heard.events()).filteredOn(BecameReady.class::isInstance).hasSize((int) stats.becameReady());
        assertThat(heard.events()).filteredOn(Crashed.class::isInstance).hasSize((int) stats.crashed());
        assertThat(heard.events()).filteredOn(Removed.class::isInstance).hasSize((int) stats.registered());
    }

    private void step(String id, int what) {
        try {
            switch (what) {
                case 0 -> registry.register(loading(id));
                case 1 -> registry.updateState(id, IDLE);
                case 2 -> registry.get(id).ifPresent(worker -> registry.updateState(id, backingOff(worker)));
                case 3 -> registry.updateState(id, LOADING);
                case 4 -> registry.updateState(id, STOPPING);
                default -> registry.remove(id);
            }
        } catch (IllegalTransitionException | DuplicateWorkerException someoneElseWasFirst) {
            // that is what this is about
        }
    }

    @Test
    void listenersComeAndGoUnderTraffic() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        RecordingListener steady = new RecordingListener();
        registry.subscribe(steady, Runnable::run);

        together(
                times(3_000, done, () -> {
                    registry.register(loading("w"));
                    registry.remove("w");
                }),
                until(done, () -> registry.subscribe(event -> {}, Runnable::run).close()));

        assertThat(steady.events()).hasSize(6_000);
        assertThat(steady.events()).noneMatch(event -> event instanceof WorkerEvent.Overflowed);
    }

    /** It said Idle in the moment in which a load had ended, and this was not written to the end. */
    @Test
    void theWorkerOfALeaseThatIsHeldIsNeverIdle() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger held = new AtomicInteger();
        together(
                until(done, () -> {
                    SlotLease lease = registry.tryAcquireFrom("w").orElse(null);
                    if (lease != null) {
                        WorkerInfo worker = lease.worker();
                        if (lease.isValid()) {
                            assertThat(worker.state()).isNotEqualTo(IDLE); // but Busy, or Loading a moment ago
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
