package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.testing.FakeProcessController;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Replacements beside threads that acquire slots all the time, with a tick of a millisecond. */
@ExtendWith(UnexpectedWarnings.class)
class ReplaceStressTest {

    private static final int CALLERS = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration DEADLINE = Duration.ofSeconds(5);

    private final ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(2);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final PortPool ports = FreePorts.range(2);
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final FakeProcessController processes = new FakeProcessController();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
            .processController(processes)
            .ports(ports)
            .restartPolicy(RestartPolicy.builder()
                    .initial(Duration.ofMillis(1))
                    .max(Duration.ofMillis(1))
                    .limit(100_000)
                    .jitter(0)
                    .build())
            .lifecycle(LifecycleConfig.builder()
                    .noIdleTimeout()
                    .tickInterval(Duration.ofMillis(1))
                    .build())
            .build();
    private final CountDownLatch done = new CountDownLatch(1);

    @AfterEach
    void endThreads() throws InterruptedException {
        done.countDown();
        supervisor.closeNow();
        threads.shutdownNow();
        scheduler.shutdownNow();
        assertThat(threads.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        assertThat(scheduler.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
    }

    /** Each caller has a slot in each worker, so that only a worker that accepts no requests can refuse it. */
    private static WorkerSpec spec(int slots) {
        return WorkerSpec.builder()
                .modelRef("tiny")
                .command("serve", "{port}")
                .slots(slots)
                .build();
    }

    private String spawnReady() {
        String id = supervisor.spawn(spec(CALLERS)).id();
        assertThat(supervisor.reportReady(id)).isTrue();
        return id;
    }

    private List<Future<Void>> call(Callable<SlotLease> acquire) {
        List<Future<Void>> calls = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            calls.add(threads.submit(() -> {
                while (done.getCount() > 0) {
                    try (SlotLease lease = acquire.call()) {
                        assertThat(lease.isValid()).as("no lease is cut off").isTrue();
                    }
                }
                return null;
            }));
        }
        return calls;
    }

    private void endCalls(List<Future<Void>> calls) throws Exception {
        done.countDown();
        for (Future<Void> call : calls) {
            call.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    private static <T> T join(CompletableFuture<T> stage) throws Exception {
        return stage.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    /** The worker that is being started to replace another one. */
    private String replacementOf(String id, CompletableFuture<?> stage) {
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .atMost(PATIENCE)
                .until(() -> stage.isDone() || replacements(id).findAny().isPresent());
        assertThat(stage).isNotDone();
        return replacements(id).findAny().orElseThrow();
    }

    private Stream<String> replacements(String id) {
        return registry.list().stream()
                .filter(worker -> !worker.id().equals(id)
                        && worker.state().label().equals("loading")
                        && worker.pid().isPresent())
                .map(WorkerInfo::id);
    }

    private void awaitRemoved(String id) {
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .atMost(PATIENCE)
                .until(() -> registry.get(id).isEmpty());
    }

    private void assertNothingLeft() throws Exception {
        join(supervisor.shutdown(DEADLINE).toCompletableFuture());
        assertThat(registry.list()).isEmpty();
        assertThat(processes.running()).isEmpty();
        assertThat(List.of(ports.acquire(), ports.acquire())).doesNotHaveDuplicates();
    }

    /** No caller finds no worker, and none gets the old one after its replacement is complete. */
    @Test
    void callersAlwaysFindAWorkerWhileWorkersAreReplaced() throws Exception {
        Set<String> replaced = ConcurrentHashMap.newKeySet();
        String id = spawnReady();
        List<Future<Void>> calls = call(() -> {
            Set<String> closed = Set.copyOf(replaced);
            Optional<SlotLease> lease = registry.tryAcquire("tiny");
            assertThat(lease).as("a worker accepts requests").isPresent();
            assertThat(closed).doesNotContain(lease.orElseThrow().workerId());
            return lease.orElseThrow();
        });

        for (int i = 0; i < 300 && calls.stream().noneMatch(Future::isDone); i++) {
            CompletableFuture<WorkerInfo> stage =
                    supervisor.replace(id, spec(CALLERS)).toCompletableFuture();
            String next = replacementOf(id, stage);
            assertThat(supervisor.reportReady(next)).isTrue();
            assertThat(join(stage).id()).isEqualTo(next);
            replaced.add(id);
            awaitRemoved(id); // its callers return their slots, and its port is needed
            id = next;
        }

        endCalls(calls);
        assertNothingLeft();
    }

    /** Every request waits for the next generation, which may have another number of slots. */
    @Test
    void callersWaitWhileAWorkerIsReplacedInPlace() throws Exception {
        String id = spawnReady();
        List<Future<Void>> calls = call(() -> registry.acquire("tiny", PATIENCE));

        for (int i = 0; i < 300 && calls.stream().noneMatch(Future::isDone); i++) {
            int slots = 1 + i % (CALLERS + 1);
            CompletableFuture<WorkerInfo> stage =
                    supervisor.replaceInPlace(id, spec(slots)).toCompletableFuture();
            int generation = i + 2;
            await().pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(1))
                    .atMost(PATIENCE)
                    .until(() -> supervisor.reportReady(id, generation));
            assertThat(join(stage).slotsTotal()).isEqualTo(slots);
        }

        endCalls(calls);
        assertThat(registry.get(id))
                .hasValueSatisfying(worker -> assertThat(worker.slotsInUse()).isZero());
        assertNothingLeft();
    }

    /**
     * Either the new worker is removed and the old one stays, or the old one is removed and the new one is restarted.
     */
    @Test
    void aCrashWhenTheNewWorkerBecomesReadyLeavesOneOfBoth() throws Exception {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        SplittableRandom random = new SplittableRandom(1);
        String id = spawnReady();
        int completed = 0;
        for (int i = 0; i < 300; i++) {
            CompletableFuture<WorkerInfo> stage =
                    supervisor.replace(id, spec(CALLERS)).toCompletableFuture();
            String next = replacementOf(id, stage);
            int spins = random.nextInt(2_000);
            Future<?> crash = threads.submit(() -> {
                for (int spin = 0; spin < spins; spin++) {
                    Thread.onSpinWait();
                }
                processes.exit(next, 1);
            });
            supervisor.reportReady(next);
            crash.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            try {
                join(stage);
                completed++;
                awaitRemoved(id);
                await().pollInterval(Duration.ofMillis(1)).atMost(PATIENCE).until(() -> supervisor.reportReady(next));
                id = next;
            } catch (ExecutionException failed) {
                assertThat(failed).hasCauseInstanceOf(WorkerEndedException.class);
                assertThat(registry.get(next)).isEmpty();
                assertThat(registry.get(id))
                        .hasValueSatisfying(
                                worker -> assertThat(worker.state().routable()).isTrue());
            }
        }
        assertThat(completed).as("of 300").isBetween(1, 299);
        assertNothingLeft();
    }
}
