package io.github.workerregistry.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.testing.FakeProcessController;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Threads lease slots while the command of the model changes. A lease that is requested after one of a revision was
 * given is never of an earlier revision, and no request is lost. Bounded by counts, not by time.
 */
@ExtendWith(UnexpectedWarnings.class)
class PoolUpdateStressTest {

    private static final int UPDATES = 40;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final FakeProcessController processes = new FakeProcessController();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
            .processController(processes)
            .lifecycle(LifecycleConfig.builder()
                    .noIdleTimeout()
                    .tickInterval(Duration.ofMillis(1))
                    .build())
            .build();
    private final CountDownLatch end = new CountDownLatch(1);
    private final AtomicInteger latest = new AtomicInteger();
    private final AtomicInteger leases = new AtomicInteger();

    @AfterEach
    void close() {
        end.countDown();
        supervisor.closeNow();
        List.of(threads, scheduler).forEach(ExecutorService::shutdownNow);
    }

    private static PoolConfig config(long units, int revision) {
        return PoolConfig.builder()
                .device("cpu", 0, units)
                .model(ModelSpec.builder("a")
                        .worker(WorkerSpec.builder()
                                .command("serve", String.valueOf(revision))
                                .url("http://127.0.0.1:{port}/")
                                .slots(2))
                        .build())
                .build();
    }

    private int revisionOf(SlotLease lease) {
        return Integer.parseInt(processes.specOf(lease.workerId()).command().get(1));
    }

    private Void readyAll() throws InterruptedException {
        while (!end.await(100, TimeUnit.MICROSECONDS)) {
            for (WorkerInfo worker : registry.list("a")) {
                if (worker.state() instanceof Loading) {
                    supervisor.reportReady(worker.id());
                }
            }
        }
        return null;
    }

    private Void lease(WorkerPool pool, boolean waits) throws InterruptedException {
        while (end.getCount() > 0) {
            int before = latest.get();
            SlotLease lease =
                    waits ? pool.acquire("a", PATIENCE) : pool.tryAcquire("a").orElse(null);
            if (lease == null) {
                Thread.onSpinWait();
            } else {
                try (lease) {
                    int revision = revisionOf(lease);
                    assertThat(revision).as("revision of a later lease").isGreaterThanOrEqualTo(before);
                    latest.accumulateAndGet(revision, Math::max);
                    assertThat(lease.isValid()).isTrue();
                    leases.incrementAndGet();
                }
            }
        }
        return null;
    }

    private void endThreads(List<Future<Void>> running) throws Exception {
        end.countDown();
        for (Future<Void> each : running) {
            each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 3})
    void laterLeaseIsNeverOfAnEarlierRevision(long units) throws Exception {
        WorkerPool pool = WorkerPool.builder(registry, supervisor)
                .config(config(units, 0))
                .build();
        List<Future<Void>> running = new ArrayList<>();
        running.add(threads.submit(this::readyAll));
        running.add(threads.submit(() -> lease(pool, true)));
        running.add(threads.submit(() -> lease(pool, true)));
        running.add(threads.submit(() -> lease(pool, false)));
        pool.load("a").toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        int surges = 0;
        for (int revision = 1; revision <= UPDATES; revision++) {
            UpdateReport report = pool.update(config(units, revision));
            surges += report.surge().size();
            assertThat(report.completion().toCompletableFuture())
                    .as(() -> pool.models() + ", " + registry.list() + ", running " + processes.running())
                    .succeedsWithin(PATIENCE);
        }
        endThreads(running);

        assertThat(surges > 0).isEqualTo(units > 1);
        assertThat(leases).hasPositiveValue();
        try (SlotLease last = pool.acquire("a", PATIENCE)) {
            assertThat(revisionOf(last)).isEqualTo(UPDATES);
        }
        pool.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 6})
    void updatesOfSeveralThreadsApplyOneAfterAnother(long units) throws Exception {
        WorkerPool pool = WorkerPool.builder(registry, supervisor)
                .config(config(units, 0))
                .build();
        List<Future<Void>> running = new ArrayList<>();
        running.add(threads.submit(this::readyAll));
        pool.load("a").toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        for (int round = 0; round < 10; round++) {
            CyclicBarrier together = new CyclicBarrier(3);
            List<Future<UpdateReport>> updates = new ArrayList<>();
            for (int thread = 0; thread < 3; thread++) {
                PoolConfig next = config(units, 1 + round * 3 + thread);
                updates.add(threads.submit(() -> {
                    together.await();
                    return pool.update(next);
                }));
            }
            int complete = 0;
            for (Future<UpdateReport> update : updates) {
                complete += isCompleted(update.get().completion().toCompletableFuture()) ? 1 : 0;
            }
            assertThat(complete).as("the last one, at least").isPositive();
            pool.acquire("a", PATIENCE).close();
            assertThat(routableRevisions()).hasSize(1);
        }
        endThreads(running);
        pool.close();
    }

    private List<String> routableRevisions() {
        return registry.list("a").stream()
                .filter(worker -> worker.state().routable())
                .map(worker -> processes.specOf(worker.id()).command().get(1))
                .distinct()
                .toList();
    }

    private static boolean isCompleted(CompletableFuture<Void> completion) {
        try {
            completion.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
            return true;
        } catch (CancellationException replaced) {
            return false;
        } catch (CompletionException failed) {
            assertThat(failed.getCause()).isInstanceOf(CancellationException.class);
            return false;
        }
    }
}
