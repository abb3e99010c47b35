package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class SlotSelectionTest {

    private WorkerRegistry registry = WorkerRegistry.create();

    private void register(String id, int slots) {
        registry.register(worker(id, slots).build());
    }

    private static WorkerInfo.Builder worker(String id, int slots) {
        return WorkerInfo.builder()
                .id(id)
                .url("http://h")
                .modelRef("m")
                .state(new Idle())
                .slotsTotal(slots);
    }

    private String acquire() {
        return registry.tryAcquire("m").orElseThrow().workerId();
    }

    @Test
    void packFillsTheBusyWorkerFirst() {
        register("a", 4);
        register("b", 4);
        registry.tryAcquireFrom("b");

        assertThat(List.of(acquire(), acquire(), acquire(), acquire())).containsExactly("b", "b", "b", "a");
    }

    /** A thread prefers the worker that it used last. If hints were kept, many threads would keep all workers busy. */
    @Test
    void forgottenHintsMoveThreadsBackToTheFirstWorker() {
        register("a", 1);
        register("b", 1);
        SlotLease first = registry.tryAcquire("m").orElseThrow();
        SlotLease second = registry.tryAcquire("m").orElseThrow();
        first.close();
        second.close();
        SlotLease again = registry.tryAcquire("m").orElseThrow();
        assertThat(again.workerId()).as("the worker used last").isEqualTo("b");
        again.close();

        assertThat(registry.idleWorkers()).hasSize(2);
        SlotLease still = registry.tryAcquire("m").orElseThrow();
        assertThat(still.workerId()).as("a read keeps the hints").isEqualTo("b");
        still.close();

        registry.supervision().forgetHints();

        assertThat(acquire()).isEqualTo("a");
    }

    /** Also if the busy worker is in another part of the tree. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 63, 64, 200})
    void packPrefersAPartlyBusyWorkerToTheOneUsedLast(int busy) {
        for (int i = 0; i <= 200; i++) {
            register("w" + i, 2);
        }
        SlotLease last = registry.tryAcquire("m").orElseThrow();
        assertThat(last.workerId()).isEqualTo("w0");
        registry.tryAcquireFrom("w" + busy);

        last.close();

        assertThat(acquire()).isEqualTo("w" + busy);
    }

    /** A stale bit still marks that worker as partly busy. */
    @ParameterizedTest
    @ValueSource(ints = {1, 63, 64, 100})
    void packPrefersTheWorkerUsedLastIfNoneIsPartlyBusy(int others) {
        List<SlotLease> leases = new ArrayList<>();
        for (int i = 0; i < others; i++) {
            register("full" + i, 1);
            leases.add(registry.tryAcquire("m").orElseThrow());
        }
        register("last", 2);
        leases.add(registry.tryAcquire("m").orElseThrow());
        register("other", 2);

        leases.forEach(SlotLease::close);

        assertThat(acquire()).isEqualTo("last");
    }

    @Test
    void spreadPrefersALessLoadedWorkerToTheOneUsedLast() {
        registry = WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
        register("a", 100);
        register("b", 100);
        SlotLease last = registry.tryAcquireFrom("b").orElseThrow();
        last.close();
        registry.tryAcquireFrom("b");
        assertThat(acquire()).isEqualTo("a");
        registry.tryAcquireFrom("a");

        assertThat(acquire()).isEqualTo("b");
    }

    /** Regression: sequential requests all went to the first worker. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 63, 64, 65, 130, 4_097})
    void spreadRotatesThroughIdleWorkers(int workers) {
        registry = WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
        for (int i = 0; i < workers; i++) {
            register("w" + i, 1 + i % 2);
        }

        for (int round = 1; round <= 3; round++) {
            assertThat(acquireOneAfterAnother(workers, () -> registry.tryAcquire("m")))
                    .as("round " + round)
                    .doesNotHaveDuplicates();
        }
    }

    private static List<String> acquireOneAfterAnother(int times, Supplier<Optional<SlotLease>> request) {
        List<String> acquired = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            try (SlotLease lease = request.get().orElseThrow()) {
                acquired.add(lease.workerId());
            }
        }
        return acquired;
    }

    @Test
    void spreadRotatesThroughEquallyBusyWorkers() {
        registry = WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
        for (int i = 0; i < 4; i++) {
            register("w" + i, 4);
            registry.tryAcquireFrom("w" + i);
        }
        register("busier", 4);
        registry.tryAcquireFrom("busier");
        registry.tryAcquireFrom("busier");

        assertThat(acquireOneAfterAnother(8, () -> registry.tryAcquire("m")))
                .containsOnly("w0", "w1", "w2", "w3")
                .satisfies(acquired -> assertThat(acquired.subList(0, 4)).isEqualTo(acquired.subList(4, 8)))
                .satisfies(acquired -> assertThat(acquired.subList(0, 4)).doesNotHaveDuplicates());
    }

    @Test
    void spreadRotatesThroughMatchingWorkers() {
        registry = WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
        for (int i = 0; i < 200; i++) {
            registry.register(
                    worker("w" + i, 2).backend(i % 20 == 0 ? "cuda" : "cpu").build());
        }
        SlotRequest cuda = SlotRequest.forModel("m").onBackend("cuda");

        assertThat(acquireOneAfterAnother(10, () -> registry.tryAcquire(cuda))).doesNotHaveDuplicates();
        assertThat(acquireOneAfterAnother(10, () -> registry.tryAcquire(cuda.excluding("w1"))))
                .doesNotHaveDuplicates();
    }

    /** As with virtual threads, each of which acquires one slot. */
    @Test
    void spreadIsEvenOverThreadsThatAcquireOneSlotEach() throws Exception {
        registry = WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
        for (int i = 0; i < 4; i++) {
            register("w" + i, 2);
        }
        Map<String, Integer> acquired = new HashMap<>();
        for (int i = 0; i < 200; i++) {
            registry.supervision().forgetHints(); // so that no thread finds the hint of another
            FutureTask<String> task = new FutureTask<>(() -> {
                try (SlotLease lease = registry.tryAcquire("m").orElseThrow()) {
                    return lease.workerId();
                }
            });
            Thread thread = new Thread(task);
            thread.start();
            thread.join();
            acquired.merge(task.get(), 1, Integer::sum);
        }

        assertThat(acquired)
                .hasSize(4)
                .allSatisfy((id, times) -> assertThat(times).isBetween(40, 60));
    }

    @Test
    void spreadFindsTheOnlyFreeWorker() {
        registry = WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
        List<SlotLease> leases = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            register("w" + i, 1);
        }
        for (int i = 0; i < 300; i++) {
            leases.add(registry.tryAcquire("m").orElseThrow());
        }
        for (int i : List.of(299, 0, 150, 63, 64, 1)) {
            leases.get(i).close();
            assertThat(acquire()).isEqualTo(leases.get(i).workerId());
            assertThat(registry.tryAcquire("m")).isEmpty();
        }
    }

    @Test
    void packReturnsToABusyWorkerWhenASlotIsReleased() {
        register("idle", 2);
        register("a", 2);
        register("b", 2);
        registry.tryAcquireFrom("b");
        SlotLease first = registry.tryAcquireFrom("a").orElseThrow();
        registry.tryAcquireFrom("a");
        assertThat(acquire()).isEqualTo("b");

        first.close();

        assertThat(acquire()).isEqualTo("a");
    }

    @Test
    void spreadLeasesEachWorkerOnceBeforeAnyTwice() {
        registry = WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
        for (int i = 0; i < 200; i++) {
            register("w" + i, 3);
        }

        for (int round = 1; round <= 3; round++) {
            Set<String> acquired = new HashSet<>();
            for (int i = 0; i < 200; i++) {
                acquired.add(acquire());
            }
            assertThat(acquired).as("round " + round).hasSize(200);
        }
        assertThat(registry.tryAcquire("m")).isEmpty();
    }

    @Test
    void spreadComparesShares() {
        registry = WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
        register("small", 2);
        register("large", 32);
        registry.tryAcquireFrom("small");
        registry.tryAcquireFrom("large");
        registry.tryAcquireFrom("large");

        assertThat(acquire()).as("2 of 32 is less than 1 of 2").isEqualTo("large");
    }

    @Test
    void levelIsIdleAFractionOfBusyOrNone() {
        FreeSlots spread = new FreeSlots(SlotSelection.SPREAD);
        assertThat(spread.level(0, 1)).isZero();
        assertThat(spread.level(1, 1)).isEqualTo(FreeSlots.NONE);
        assertThat(spread.level(1, Integer.MAX_VALUE)).isEqualTo(1);
        assertThat(spread.level(Integer.MAX_VALUE - 1, Integer.MAX_VALUE)).isEqualTo(7);
        assertThat(spread.level(1, 2)).isEqualTo(4);
        for (int inUse = 1; inUse < 64; inUse++) {
            assertThat(spread.level(inUse, 64)).isBetween(spread.level(inUse - 1, 64), 7);
        }
        FreeSlots pack = new FreeSlots(SlotSelection.PACK);
        assertThat(List.of(pack.level(0, 3), pack.level(1, 3), pack.level(2, 3), pack.level(3, 3)))
                .containsExactly(0, 1, 1, FreeSlots.NONE);
    }

    /** The tree grows by a level at 65 and at 4,097 workers. */
    @ParameterizedTest
    @ValueSource(ints = {1, 63, 64, 65, 4096, 4097, 10_000})
    void everySlotIsFoundOnceForAnyNumberOfWorkers(int workers) {
        for (int i = 0; i < workers; i++) {
            register("w" + i, 1);
        }
        List<SlotLease> leases = new ArrayList<>();
        for (int i = 0; i < workers; i++) {
            leases.add(registry.tryAcquire("m").orElseThrow());
        }

        assertThat(registry.tryAcquire("m")).isEmpty();
        assertThat(leases).extracting(SlotLease::workerId).doesNotHaveDuplicates();
        SlotLease one = leases.get(workers / 2);
        one.close();
        assertThat(acquire()).as("the free worker").isEqualTo(one.workerId());
    }

    @ParameterizedTest
    @EnumSource(SlotSelection.class)
    void placesOfRemovedWorkersAreReusedAndNoWorkerIsLost(SlotSelection selection) {
        registry = WorkerRegistry.builder().slotSelection(selection).build();
        for (int i = 0; i < 300; i++) {
            register("w" + i, 2);
        }
        for (int i = 0; i < 300; i += 2) {
            registry.tryAcquireFrom("w" + i);
            registry.remove("w" + i);
        }
        for (int i = 300; i < 500; i++) {
            register("w" + i, 2);
        }

        Map<String, Integer> acquired = new HashMap<>();
        registry.list().forEach(worker -> acquired.put(worker.id(), 0));
        for (int i = 0; i < 700; i++) {
            acquired.merge(acquire(), 1, Integer::sum);
        }
        assertThat(acquired)
                .hasSize(350)
                .allSatisfy((id, slots) -> assertThat(slots).isEqualTo(2));
        assertThat(registry.tryAcquire("m")).isEmpty();
    }

    @Test
    void workerThatBecomesReadyAgainIsFoundAgain() {
        registry.register(
                worker("w", 1).state(new Loading(registry.clock().instant())).build());
        assertThat(registry.tryAcquire("m")).isEmpty();
        registry.updateState("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        Exit crash = new Exit(
                lease.incarnation(),
                "m",
                Exit.Cause.CRASHED,
                ExitStatus.unrequested(1),
                List.of(),
                registry.clock().instant());
        registry.updateState("w", new BackingOff(1, registry.clock().instant(), crash));
        assertThat(registry.tryAcquire("m")).isEmpty();
        registry.updateState("w", new Loading(registry.clock().instant()));
        registry.updateState("w", new Idle());

        assertThat(registry.tryAcquire("m")).isPresent();
        lease.close();
        assertThat(registry.tryAcquire("m")).as("the old lease frees no slot").isEmpty();
    }

    @Test
    void requestsMatchBackendAndDevice() {
        registry.register(worker("cpu", 1).backend("cpu").device(0).build());
        registry.register(worker("cuda0", 1).backend("cuda").device(0).build());
        registry.register(worker("cuda1", 1).backend("cuda").device(1).build());

        SlotRequest any = SlotRequest.forModel("m");
        SlotRequest cuda = any.onBackend("cuda");
        assertThat(registry.tryAcquire(cuda.onDevice(1)).orElseThrow().workerId())
                .isEqualTo("cuda1");
        assertThat(registry.tryAcquire(cuda.onDevice(1))).isEmpty();
        assertThat(registry.tryAcquire(any.onBackend("cpu")).orElseThrow().workerId())
                .isEqualTo("cpu");
        assertThat(registry.tryAcquire(any.onDevice(1))).isEmpty();
        assertThat(registry.tryAcquire(cuda).orElseThrow().workerId()).isEqualTo("cuda0");
        assertThat(registry.tryAcquire(SlotRequest.forModel("another").onBackend("cuda")))
                .isEmpty();
    }

    @Test
    void requestsMatchAllLabelsAndNoExcludedWorker() {
        registry.register(worker("plain", 1).build());
        registry.register(worker("fast", 1).labels(Map.of("tier", "fast")).build());
        registry.register(
                worker("both", 1).labels(Map.of("tier", "fast", "zone", "a")).build());
        registry.register(
                worker("slow", 1).labels(Map.of("tier", "slow", "zone", "a")).build());

        SlotRequest any = SlotRequest.forModel("m");
        SlotRequest fastInA = any.withLabel("tier", "fast").withLabel("zone", "a");
        assertThat(registry.tryAcquire(fastInA.excluding("both"))).isEmpty();
        assertThat(registry.tryAcquire(fastInA).orElseThrow().workerId()).isEqualTo("both");
        assertThat(registry.tryAcquire(fastInA)).isEmpty();
        assertThat(registry.tryAcquire(any.withLabel("tier", ""))).isEmpty();
        assertThat(registry.tryAcquire(any.withLabel("fast", "tier"))).isEmpty();
        SlotRequest slow = any.withLabel("tier", "fast").withLabel("tier", "slow");
        assertThat(registry.tryAcquire(slow).orElseThrow().workerId()).isEqualTo("slow");
        SlotRequest others = any.excluding("plain").excluding("both");
        assertThat(registry.tryAcquire(others).orElseThrow().workerId()).isEqualTo("fast");
        assertThat(registry.tryAcquire(others)).isEmpty();
        assertThat(acquire()).as("excluded, and still free").isEqualTo("plain");
    }

    @Test
    void constrainedRequestsFollowTheSelection() {
        register("a", 2);
        register("b", 2);
        registry.tryAcquireFrom("b");

        assertThat(registry.tryAcquire(SlotRequest.forModel("m").onDevice(0))
                        .orElseThrow()
                        .workerId())
                .isEqualTo("b");
    }

    /** Regression: the first busy worker got nearly all requests until a seventh of its slots was in use. */
    @ParameterizedTest
    @ValueSource(ints = {100, 256, 1024, Integer.MAX_VALUE})
    void spreadIsEvenForAnyNumberOfSlots(int slots) {
        registry = WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
        for (int i = 0; i < 4; i++) {
            register("w" + i, slots);
        }
        List<SlotLease> leases = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            leases.add(registry.tryAcquire("m").orElseThrow());
        }
        assertThat(registry.list()).extracting(WorkerInfo::slotsInUse).containsOnly(25);

        leases.stream().filter(lease -> lease.workerId().equals("w2")).limit(3).forEach(SlotLease::close);

        assertThat(List.of(acquire(), acquire(), acquire())).containsOnly("w2");
    }

    /** Regression: after a stack overflow in the middle of a change, all other threads searched for ever. */
    @Test
    void unfinishedChangeDoesNotBlockSearches() throws Exception {
        ModelSlots model = SomeModels.model("m", 8);
        model.add(new WorkerEntry(worker("w", 1).build()));
        SlotLease lease = model.tryAcquireBest(null);
        Field changesBegun = FreeSlots.class.getDeclaredField("changesBegun");
        changesBegun.setAccessible(true);

        changesBegun.setLong(model.free(), changesBegun.getLong(model.free()) + 1);

        assertThat(model.tryAcquireBest(null)).isNull();
        lease.close();
        assertThat(model.tryAcquireBest(null)).isNotNull();
    }
}
