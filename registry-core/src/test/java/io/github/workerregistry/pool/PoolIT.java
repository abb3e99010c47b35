package io.github.workerregistry.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.LocalProcessController;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Two models, room for one, 16 callers that alternate, and processes that are killed at random. The processes are
 * counted from outside. {@code -Dpool.seconds=60} runs it for a minute.
 */
@ExtendWith(UnexpectedWarnings.class)
class PoolIT {

    private static final int SECONDS = Integer.getInteger("pool.seconds", 5);
    private static final int CALLERS = 16;

    /** In the command of each worker, so that no other process is counted. */
    private static final String MARK = "86411";

    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService blocking = Executors.newCachedThreadPool();
    private final ExecutorService callers = Executors.newCachedThreadPool();
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
            .processController(LocalProcessController.builder().discardOutput().build())
            .blockingExecutor(blocking)
            .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
            .build();
    private final Set<Long> killed = ConcurrentHashMap.newKeySet();
    private final CountDownLatch end = new CountDownLatch(1);
    private final AtomicInteger served = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger mostAlive = new AtomicInteger();

    @AfterEach
    void close() {
        supervisor.close();
        List.of(callers, blocking, scheduler).forEach(ExecutorService::shutdownNow);
    }

    private static ModelSpec model(String name) {
        RestartPolicy policy = RestartPolicy.builder()
                .initial(Duration.ofMillis(10))
                .max(Duration.ofMillis(10))
                .stableAfter(Duration.ofNanos(1))
                .limit(10_000)
                .build();
        return ModelSpec.builder(name)
                .worker(WorkerSpec.builder()
                        .command("sleep", MARK)
                        .url("http://127.0.0.1:9")
                        .slots(4)
                        .restartPolicy(policy))
                .build();
    }

    @Test
    void callersOfTwoModelsWithRoomForOneAreServedWhileProcessesAreKilled() throws Exception {
        UnexpectedWarnings.allow("has ended: CRASHED", "is not ready after");
        scheduler.scheduleWithFixedDelay(this::reportReady, 2, 2, TimeUnit.MILLISECONDS);
        WorkerPool pool = WorkerPool.builder(registry, supervisor)
                .config(PoolConfig.builder()
                        .device("cpu", 0, 1)
                        .maxWait(Duration.ofMillis(50))
                        .model(model("a"))
                        .model(model("b"))
                        .build())
                .build();
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            int caller = i;
            running.add(callers.submit(() -> call(pool, caller)));
        }
        running.add(callers.submit(this::countProcesses));
        running.add(callers.submit(this::killProcesses));
        assertThat(end.await(SECONDS, TimeUnit.SECONDS)).isFalse();
        end.countDown();
        for (Future<?> task : running) {
            task.get(60, TimeUnit.SECONDS);
        }

        PoolStats stats = pool.stats();
        assertThat(mostAlive).hasValueBetween(1, 1);
        assertThat(served.get()).isGreaterThan(CALLERS);
        assertThat(refused.get()).isLessThanOrEqualTo(served.get());
        assertThat(stats.models().get("a").loads()).isGreaterThan(1);
        assertThat(stats.models().get("b").loads()).isGreaterThan(1);
        pool.close();
        await().until(() -> registry.list().isEmpty() && alive().isEmpty());
    }

    /** A process is ready when it runs. */
    private void reportReady() {
        registry.list().stream()
                .filter(worker ->
                        worker.state() instanceof Loading && worker.pid().isPresent())
                .forEach(worker -> supervisor.reportReady(worker.id()));
    }

    private Void call(WorkerPool pool, int caller) throws InterruptedException {
        for (int i = caller; end.getCount() > 0; i++) {
            try (SlotLease lease = pool.acquire(i % 2 == 0 ? "a" : "b", Duration.ofSeconds(30))) {
                long pid = lease.worker().pid().orElseThrow();
                assertThat(end.await(2, TimeUnit.MILLISECONDS)).isIn(true, false);
                boolean alive =
                        ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent();
                assertThat(alive || killed.contains(pid))
                        .as("cut off by the pool")
                        .isTrue();
                served.incrementAndGet();
            } catch (ModelLoadFailedException killedWhileLoading) {
                refused.incrementAndGet();
            }
        }
        return null;
    }

    private static List<ProcessHandle> alive() {
        return ProcessHandle.current()
                .children()
                .filter(child -> child.info().commandLine().orElse("").contains(MARK))
                .filter(ProcessHandle::isAlive)
                .toList();
    }

    private Void countProcesses() throws InterruptedException {
        while (!end.await(3, TimeUnit.MILLISECONDS)) {
            mostAlive.accumulateAndGet(alive().size(), Math::max);
        }
        return null;
    }

    private Void killProcesses() throws InterruptedException {
        while (!end.await(150, TimeUnit.MILLISECONDS)) {
            alive().stream().findFirst().ifPresent(process -> {
                killed.add(process.pid());
                process.destroyForcibly();
            });
        }
        return null;
    }
}
