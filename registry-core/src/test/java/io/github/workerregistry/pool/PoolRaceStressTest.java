package io.github.workerregistry.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.LeaseEnd;
import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.PoolEvent.Evicted;
import io.github.workerregistry.testing.FakeProcessController;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Leases beside the eviction of their worker, and loads beside the close of the pool, on real threads. */
@ExtendWith(UnexpectedWarnings.class)
class PoolRaceStressTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(2);
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void endThreads() throws InterruptedException {
        threads.shutdownNow();
        scheduler.shutdownNow();
        assertThat(threads.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        assertThat(scheduler.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
    }

    /** A registry, a supervisor and a pool with room for one of two models; workers are ready at once. */
    private final class Hive implements AutoCloseable {
        final WorkerRegistry registry = WorkerRegistry.create();
        final FakeProcessController processes = new FakeProcessController();
        final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processController(processes)
                .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
                .build();
        final Set<String> evicted = ConcurrentHashMap.newKeySet();
        final WorkerPool pool;

        Hive() {
            pool = WorkerPool.builder(registry, supervisor)
                    .blockingExecutor(task -> scheduler.execute(() -> start(task)))
                    .config(VirtualPool.roomForOne(VirtualPool.model("a"), VirtualPool.model("b"))
                            .maxWait(Duration.ofMillis(1))
                            .build())
                    .build();
            pool.subscribe(
                    event -> {
                        if (event instanceof Evicted eviction) {
                            evicted.add(eviction.worker().id());
                        }
                    },
                    Runnable::run);
        }

        /** Starts a worker, which is ready when its start has returned. */
        private void start(Runnable start) {
            start.run();
            registry.list().forEach(worker -> supervisor.reportReady(worker.id()));
        }

        @Override
        public void close() {
            pool.close();
            supervisor.closeNow();
            soon().until(() -> processes.running().isEmpty());
        }
    }

    @Test
    void noLeaseFollowsThePromiseOfItsWorkerAndNoneEndsForIt() throws Exception {
        try (Hive hive = new Hive()) {
            AtomicInteger leases = new AtomicInteger();
            long until = System.nanoTime() + Duration.ofMillis(1_200).toNanos();
            List<Callable<Object>> callers = new ArrayList<>();
            for (String model : List.of("a", "b", "a", "b")) {
                callers.add(() -> {
                    while (System.nanoTime() < until) {
                        lease(hive, model);
                        leases.incrementAndGet();
                    }
                    return model;
                });
            }
            together(callers);

            assertThat(leases).hasValueGreaterThan(20);
            assertThat(hive.evicted).hasSizeGreaterThan(5);
        }
    }

    private static void lease(Hive hive, String model) throws InterruptedException {
        Set<String> promised = Set.copyOf(hive.evicted);
        Optional<SlotLease> free = hive.pool.tryAcquire(model);
        try (SlotLease lease = free.isPresent() ? free.get() : hive.pool.acquire(model, PATIENCE)) {
            assertThat(promised).as("a lease after the promise").doesNotContain(lease.workerId());
            assertThat(hive.processes.running()).contains(lease.workerId());
            lease.close();
            assertThat(lease.whenEnded().toCompletableFuture().join()).isInstanceOf(LeaseEnd.Released.class);
        }
    }

    @Test
    void closeBesideLoadsAndRequestsLeavesNothing() throws Exception {
        for (int i = 0; i < 40; i++) {
            try (Hive hive = new Hive()) {
                List<CompletableFuture<?>> asked = new ArrayList<>();
                List<Object> results = together(List.of(
                        () -> hive.pool.load("a").toCompletableFuture(),
                        () -> request(hive, "b"),
                        () -> request(hive, "a"),
                        () -> {
                            hive.pool.close();
                            return CompletableFuture.completedFuture("closed");
                        }));
                for (Object result : results) {
                    asked.add((CompletableFuture<?>) result);
                }

                soon().until(() -> asked.stream().allMatch(CompletableFuture::isDone));
                soon().until(() -> hive.registry.list().isEmpty());
                assertThat(hive.processes.running()).isEmpty();
                assertThat(hive.pool.models())
                        .flatExtracting(ModelStatus::workers)
                        .isEmpty();
            }
        }
    }

    private static CompletableFuture<WorkerInfo> request(Hive hive, String model) {
        PendingSlot slot = hive.pool.acquireAsync(SlotRequest.forModel(model), PATIENCE, Runnable::run);
        return slot.lease()
                .thenApply(lease -> {
                    lease.close();
                    return lease.worker();
                })
                .toCompletableFuture();
    }

    /** Runs all of them at the same time. */
    private List<Object> together(List<Callable<Object>> calls) throws Exception {
        CyclicBarrier start = new CyclicBarrier(calls.size());
        List<Future<Object>> running = new ArrayList<>();
        for (Callable<Object> call : calls) {
            running.add(threads.submit(() -> {
                start.await();
                return call.call();
            }));
        }
        List<Object> results = new ArrayList<>();
        for (Future<Object> result : running) {
            results.add(result.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }
        return results;
    }

    private static ConditionFactory soon() {
        return await().atMost(PATIENCE).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1));
    }
}
