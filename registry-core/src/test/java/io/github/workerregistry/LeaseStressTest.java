package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerState.Loading;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Many threads acquire and release slots while workers are registered, removed and restarted. Bounded by counts, not by
 * time.
 */
@ExtendWith(UnexpectedWarnings.class)
class LeaseStressTest {

    private static final int THREADS = 4;
    private static final int OPERATIONS = 60_000;

    private final ManyThreads threads = new ManyThreads();
    private final long seed = System.nanoTime();
    private WorkerRegistry registry = WorkerRegistry.create();

    @AfterEach
    void endThreads() {
        threads.close();
    }

    private static WorkerRegistry registry(SlotSelection selection) {
        return WorkerRegistry.builder().slotSelection(selection).build();
    }

    /** Number of slots of the first generation of the worker with this id: 1 to 3. */
    private static int slotsOf(String id) {
        return id.charAt(0) - '0';
    }

    /** Acquires every free slot, compares them with the records, and releases them. */
    private void assertEveryFreeSlotCanBeAcquiredOnce() {
        Map<String, Integer> free = new HashMap<>();
        registry.list().forEach(worker -> {
            if (worker.slotsAvailable() > 0) {
                free.put(worker.id(), worker.slotsAvailable());
            }
        });
        Map<String, Integer> acquired = new HashMap<>();
        List<SlotLease> leases = new ArrayList<>();
        for (Optional<SlotLease> lease = registry.tryAcquire(MODEL);
                lease.isPresent();
                lease = registry.tryAcquire(MODEL)) {
            leases.add(lease.get());
            acquired.merge(lease.get().workerId(), 1, Integer::sum);
        }
        leases.forEach(SlotLease::close);
        assertThat(acquired).as("seed " + seed).isEqualTo(free);
    }

    /** The tree grows by a level at 65 and at 4,097 workers, here while other threads search it. */
    @ParameterizedTest
    @CsvSource({"PACK,1", "PACK,3", "PACK,70", "PACK,4200", "SPREAD,1", "SPREAD,3", "SPREAD,70", "SPREAD,4200"})
    void leasesNeverExceedSlotsWhileWorkersChange(SlotSelection selection, int workers) throws Exception {
        registry = registry(selection);
        Map<String, AtomicInteger> open = new ConcurrentHashMap<>(); // by worker and generation
        String[] ids = new String[workers]; // each place has one writer; other threads may read stale ids
        threads.together(THREADS, thread -> () -> {
            SplittableRandom random = new SplittableRandom(seed + thread);
            List<SlotLease> mine = new ArrayList<>();
            int next = thread; // the next place to fill for the first time
            for (int i = 0; i < OPERATIONS; i++) {
                int what = random.nextInt(100);
                if (what < 45) {
                    String some = ids[random.nextInt(workers)];
                    Optional<SlotLease> lease =
                            what < 30 || some == null ? registry.tryAcquire(MODEL) : registry.tryAcquireFrom(some);
                    lease.ifPresent(acquired -> {
                        assertThat(acquired.url()).startsWith(urlOf(acquired.workerId(), acquired.generation()));
                        assertThat(openOf(acquired, open).incrementAndGet())
                                .as("open leases of %s, seed %s", acquired, seed)
                                .isLessThanOrEqualTo(slotsAt(acquired.url()));
                        mine.add(acquired);
                    });
                } else if (what < 88) {
                    closeAny(mine, random, open);
                } else if (next < workers) {
                    ids[next] = registerNew(next + "." + i, random);
                    next += THREADS;
                } else if (workers > thread) {
                    int place = thread + THREADS * random.nextInt((workers - thread + THREADS - 1) / THREADS);
                    if (random.nextBoolean()) {
                        registry.remove(ids[place]);
                        ids[place] = registerNew(place + "." + i, random);
                    } else {
                        restart(ids[place]);
                    }
                }
            }
            while (!mine.isEmpty()) {
                closeAny(mine, random, open);
            }
        });

        assertThat(registry.list())
                .as("seed " + seed)
                .hasSize(workers)
                .allSatisfy(worker -> assertThat(worker.slotsInUse()).isZero());
        assertEveryFreeSlotCanBeAcquiredOnce();
    }

    private String registerNew(String name, SplittableRandom random) {
        String id = 1 + random.nextInt(3) + "x" + name;
        registry.register(idle(id, slotsOf(id)).toBuilder()
                .url(urlOf(id, 1) + slotsOf(id))
                .build());
        return id;
    }

    private void restart(String id) {
        registry.get(id)
                .flatMap(worker -> registry.updateState(id, backingOff(worker)))
                .ifPresent(this::beginNext);
        registry.updateState(id, IDLE);
    }

    /** Every other generation has another number of slots than the one before. */
    private void beginNext(WorkerInfo ended) {
        String url = urlOf(ended.id(), ended.generation() + 1);
        if (ended.generation() % 2 == 0) {
            registry.supervision().restartIfUnchanged(ended, new Loading(START), url + ended.slotsTotal());
        } else {
            int slots = ended.slotsTotal() % 3 + 1;
            registry.supervision()
                    .replaceIfUnchanged(
                            ended,
                            ended.toBuilder()
                                    .state(new Loading(START))
                                    .url(url + slots)
                                    .slotsTotal(slots)
                                    .build());
        }
    }

    /** Each generation has a URL of its own, which ends with its number of slots. */
    private static String urlOf(String id, int generation) {
        return "http://" + id + "/" + generation + "/";
    }

    private static int slotsAt(String url) {
        return url.charAt(url.length() - 1) - '0';
    }

    private static AtomicInteger openOf(SlotLease lease, Map<String, AtomicInteger> open) {
        return open.computeIfAbsent(lease.workerId() + "#" + lease.generation(), key -> new AtomicInteger());
    }

    private static void closeAny(List<SlotLease> mine, SplittableRandom random, Map<String, AtomicInteger> open) {
        if (!mine.isEmpty()) {
            SlotLease lease = mine.remove(random.nextInt(mine.size()));
            openOf(lease, open).decrementAndGet();
            lease.close();
        }
    }

    /**
     * As many slots as leases: a thread that has released one always finds that slot or another. The leases are shared,
     * so that a thread seldom finds the slot that it used last.
     */
    @ParameterizedTest
    @CsvSource({
        "PACK,2,1", "PACK,6,1", "PACK,1,4", "PACK,3,3", "PACK,70,1", "PACK,70,3", "PACK,4200,1",
        "SPREAD,2,1", "SPREAD,6,1", "SPREAD,1,8", "SPREAD,3,8", "SPREAD,70,1", "SPREAD,70,8", "SPREAD,4200,2"
    })
    void threadThatReleasedASlotFindsAnother(SlotSelection selection, int workers, int slots) throws Exception {
        registry = registry(selection);
        AtomicReferenceArray<SlotLease> held = new AtomicReferenceArray<>(workers * slots);
        for (int i = 0; i < workers * slots; i++) {
            if (i % slots == 0) {
                registry.register(idle("w" + i / slots, slots));
            }
            held.set(i, registry.tryAcquireFrom("w" + i / slots).orElseThrow());
        }
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        threads.together(THREADS + 1, thread -> () -> {
            if (thread == THREADS) {
                registerAndRemoveLoadingWorkers();
                return;
            }
            SplittableRandom random = new SplittableRandom(seed + thread);
            for (int i = 0; i < OPERATIONS; i++) {
                int any = random.nextInt(held.length());
                SlotLease lease = held.getAndSet(any, null);
                if (lease != null) {
                    lease.close();
                    Optional<SlotLease> other = registry.tryAcquire(MODEL);
                    if (other.isEmpty()) {
                        throw new AssertionError("none free in operation " + i + ", seed " + seed);
                    }
                    held.set(any, other.get());
                }
            }
        });

        assertThat(registry.tryAcquire(MODEL)).as("seed " + seed).isEmpty();
        for (int i = 0; i < held.length(); i++) {
            held.get(i).close();
        }
        assertEveryFreeSlotCanBeAcquiredOnce();
    }

    /** Loading workers occupy places in the tree and leave stale bits. */
    private void registerAndRemoveLoadingWorkers() {
        for (int i = 0; i < 2_000; i++) {
            registry.register(loading("loading" + i));
            if (i >= 150) {
                registry.remove("loading" + (i - 150));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(SlotSelection.class)
    void leaseClosedByManyThreadsFreesOneSlot(SlotSelection selection) throws Exception {
        registry = registry(selection);
        for (int i = 0; i < 3; i++) {
            registry.register(idle("w" + i, 3));
        }
        ConcurrentLinkedQueue<SlotLease> acquired = new ConcurrentLinkedQueue<>();
        threads.together(THREADS, thread -> () -> {
            for (int i = 0; i < OPERATIONS; i++) {
                registry.tryAcquire(MODEL).ifPresent(lease -> {
                    acquired.add(lease);
                    acquired.add(lease);
                });
                SlotLease any = acquired.poll();
                if (any != null) {
                    any.close();
                }
            }
        });

        acquired.forEach(SlotLease::close);
        assertThat(registry.stats().slotsInUse()).isZero();
        assertEveryFreeSlotCanBeAcquiredOnce();
    }
}
