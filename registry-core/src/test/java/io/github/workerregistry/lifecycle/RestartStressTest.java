package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Operators, exits and the restart timer on threads of their own, with a tick of a millisecond: every exit is
 * restarted. No worker is lost, every stage completes, and nothing is left at the end.
 */
@ExtendWith(UnexpectedWarnings.class)
class RestartStressTest {

    private static final long ABOUT_NANOS = Duration.ofMillis(1_500).toNanos();
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(2);
    private final ExecutorService operators = Executors.newCachedThreadPool();
    private final long end = System.nanoTime() + ABOUT_NANOS;

    @AfterEach
    void endThreads() throws InterruptedException {
        operators.shutdownNow();
        scheduler.shutdownNow();
        assertThat(operators.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        assertThat(scheduler.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
    }

    @Test
    void concurrentRestartsAndExitsLoseNoWorker() throws Exception {
        int workers = 20;
        Hive hive = new Hive(workers);
        hive.spawn(workers);
        Queue<CompletableFuture<WorkerInfo>> restarts = new ConcurrentLinkedQueue<>();

        List<Future<Void>> running = new ArrayList<>();
        for (long seed : new long[] {1, 2}) {
            SplittableRandom random = new SplittableRandom(seed);
            Callable<Void> operator = () -> {
                while (System.nanoTime() < end) {
                    String id = hive.ids.get(random.nextInt(workers));
                    if (random.nextInt(10) == 0) {
                        hive.processes.exit(id, 0);
                    } else {
                        restarts.add(hive.supervisor.restart(id).toCompletableFuture());
                    }
                    pause(random.nextInt(20_000));
                }
                return null;
            };
            running.add(operators.submit(operator));
        }
        for (Future<Void> operator : running) {
            operator.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        await(restarts);
        assertThat(restarts).noneMatch(CompletableFuture::isCompletedExceptionally);
        assertThat(hive.registry.list()).extracting(WorkerInfo::id).containsExactlyInAnyOrderElementsOf(hive.ids);
        assertThat(hive.supervisor.shutdown(Duration.ofSeconds(5)).toCompletableFuture())
                .succeedsWithin(PATIENCE);
        hive.assertNothingLeft("after " + restarts.size() + " restarts");
    }

    @Test
    void stopsDuringRestartsStopEveryWorker() {
        againstTheTimer((hive, random) -> {
            List<CompletableFuture<ExitStatus>> stops = new ArrayList<>();
            for (String id : hive.ids) {
                stops.add((random.nextBoolean() ? hive.supervisor.stop(id) : hive.supervisor.forceKill(id))
                        .toCompletableFuture());
            }
            await(stops);
            assertThat(stops).noneMatch(CompletableFuture::isCompletedExceptionally);
        });
    }

    @Test
    void aShutdownDuringRestartsStopsEveryWorker() {
        againstTheTimer((hive, random) ->
                await(List.of(hive.supervisor.shutdown(Duration.ofSeconds(5)).toCompletableFuture())));
    }

    /** The failures are not compared: a worker may have been removed before. */
    @Test
    void restartsDuringAShutdownAllComplete() {
        againstTheTimer((hive, random) -> {
            Future<List<CompletableFuture<WorkerInfo>>> restarts = operators.submit(() -> hive.ids.stream()
                    .map(id -> hive.supervisor.restart(id).toCompletableFuture())
                    .toList());
            pause(random.nextInt(200_000));
            await(List.of(hive.supervisor.shutdown(Duration.ofSeconds(5)).toCompletableFuture()));
            try {
                await(restarts.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    private interface Ending {
        void of(Hive hive, SplittableRandom random);
    }

    /** Repeatedly: all workers exit, and while their restarts fall due, {@code ending} ends them. */
    private void againstTheTimer(Ending ending) {
        int workers = 50;
        for (long seed = 1; seed == 1 || System.nanoTime() < end; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Hive hive = new Hive(workers);
            hive.spawn(workers);
            hive.ids.forEach(id -> hive.processes.exit(id, 0));
            pause(500_000 + random.nextInt(2_000_000));
            try {
                ending.of(hive, random);
                hive.assertNothingLeft("seed " + seed);
            } catch (Throwable t) {
                throw new AssertionError("seed " + seed, t);
            } finally {
                hive.supervisor.closeNow();
            }
        }
    }

    /** A registry, a supervisor, and every process that was started. */
    private final class Hive {
        final WorkerRegistry registry = WorkerRegistry.create();
        final FakeProcessController processes = new FakeProcessController();
        final List<String> ids = new ArrayList<>();
        final PortPool ports;
        final WorkerSupervisor supervisor;
        private final int size;
        private final Queue<WorkerProcess> started = new ConcurrentLinkedQueue<>();
        private final Map<String, WorkerProcess> latest = new ConcurrentHashMap<>();
        private final Queue<String> twins = new ConcurrentLinkedQueue<>();

        Hive(int size) {
            this.size = size;
            ports = FreePorts.range(size);
            ProcessController controller = spec -> {
                WorkerProcess process = processes.start(spec);
                started.add(process);
                WorkerProcess before = latest.put(spec.workerId(), process);
                if (before != null && before.exitStatus().isEmpty()) {
                    twins.add(spec.workerId());
                }
                return process;
            };
            supervisor = WorkerSupervisor.builder(registry, scheduler)
                    .processController(controller)
                    .ports(ports)
                    .restartPolicy(RestartPolicy.builder()
                            .mode(RestartPolicy.Mode.ALWAYS)
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
        }

        void spawn(int workers) {
            for (int i = 0; i < workers; i++) {
                ids.add(supervisor
                        .spawn(WorkerSpec.builder()
                                .id("w" + i)
                                .modelRef("tiny")
                                .command("serve", "{port}")
                                .build())
                        .id());
            }
        }

        void assertNothingLeft(String when) {
            assertThat(registry.list()).as("records, %s", when).isEmpty();
            assertThat(started)
                    .as("processes, %s", when)
                    .allMatch(process -> process.exitStatus().isPresent());
            assertThat(twins).as("workers with two processes, %s", when).isEmpty();
            assertThat(IntStream.range(0, size).map(i -> ports.acquire()))
                    .as("ports, %s", when)
                    .hasSize(size);
        }
    }

    private static void await(Iterable<? extends CompletableFuture<?>> stages) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        for (CompletableFuture<?> stage : stages) {
            try {
                stage.handle((value, failure) -> value).get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (Exception e) {
                throw new AssertionError("a stage is pending", e);
            }
        }
    }

    private static void pause(int nanos) {
        long until = System.nanoTime() + nanos;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }
}
