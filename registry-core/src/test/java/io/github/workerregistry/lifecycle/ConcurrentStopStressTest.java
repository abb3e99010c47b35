package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.RecordingListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Concurrent stops and exits of a worker, and spawns beside a close or a shutdown. Whichever comes first, every process
 * exits, every worker has one exit, and nothing is left.
 */
@ExtendWith(UnexpectedWarnings.class)
class ConcurrentStopStressTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int SPAWNERS = 3;
    private static final int SPAWNS = 4;
    private static final int PORTS = SPAWNERS * SPAWNS;
    private static final int CRASH = 3;

    private final ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final PortPool ports = FreePorts.range(PORTS);

    @AfterEach
    void endThreads() throws InterruptedException {
        threads.shutdownNow();
        scheduler.shutdownNow();
        assertThat(threads.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        assertThat(scheduler.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
    }

    @Test
    void aConcurrentExitAndStopAreOneExitWithOneCause() throws Exception {
        UnexpectedWarnings.allow(Warnings.CRASHED); // where the exit comes first
        Hive hive = new Hive();
        for (int iteration = 0; iteration < 300; iteration++) {
            String id = hive.spawn();
            if (iteration % 2 == 0) {
                hive.supervisor.reportReady(id);
            }

            List<Object> results = together(List.of(
                    () -> {
                        hive.processes.exit(id, CRASH);
                        return "exited";
                    },
                    () -> hive.supervisor
                            .stop(id)
                            .toCompletableFuture()
                            .handle((status, failure) -> failure == null ? status : unwrapped(failure))
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS)));

            eventually(() -> hive.registry.get(id).isEmpty());
            hive.assertOneExitOf(id);
            assertThatOneCauseTellsAll(
                    hive.exitOf(id), hive.processes.exitOf(id).orElseThrow(), results.get(1));
            hive.heard.clear();
        }
        hive.supervisor.closeNow();
        hive.assertNothingLeft();
    }

    /** Exit, status of the process and result of the stop agree. */
    private static void assertThatOneCauseTellsAll(Exit exit, ExitStatus ofProcess, Object stopped) {
        assertThat(exit.status().code()).isEqualTo(ofProcess.code());
        assertThat(exit.cause()).isIn(Exit.Cause.REQUESTED, Exit.Cause.CRASHED);
        assertThat(exit.status().requested()).isEqualTo(exit.cause() == Exit.Cause.REQUESTED);
        if (ofProcess.requested()) {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.REQUESTED);
        }
        if (stopped instanceof ExitStatus status) {
            assertThat(status).isEqualTo(exit.status());
        } else {
            assertThat(stopped).isInstanceOf(NoSuchWorkerException.class);
            assertThat(exit.cause()).isEqualTo(Exit.Cause.CRASHED);
        }
    }

    @Test
    void aSpawnDuringCloseIsRejectedOrItsWorkerIsStopped() throws Exception {
        spawnsAgainst(WorkerSupervisor::close);
    }

    @Test
    void aSpawnDuringShutdownIsRejectedOrItsWorkerIsStopped() throws Exception {
        spawnsAgainst(supervisor -> assertThat(
                        supervisor.shutdown(Duration.ofSeconds(20)).toCompletableFuture())
                .succeedsWithin(PATIENCE));
    }

    private void spawnsAgainst(Consumer<WorkerSupervisor> ending) throws Exception {
        for (int iteration = 0; iteration < 100; iteration++) {
            Hive hive = new Hive();
            int before = iteration % SPAWNS;
            List<Callable<List<String>>> tasks = new ArrayList<>();
            for (int i = 0; i < SPAWNERS; i++) {
                tasks.add(hive::spawnUntilRefused);
            }
            tasks.add(() -> {
                while (hive.processes.starts() < before) {
                    Thread.onSpinWait();
                }
                ending.accept(hive.supervisor);
                return List.of();
            });

            List<String> spawned =
                    together(tasks).stream().flatMap(List::stream).toList();

            eventually(() -> hive.registry.list().isEmpty());
            hive.assertNothingLeft();
            assertThat(hive.processes.starts())
                    .as("a refused spawn starts no process")
                    .isEqualTo(spawned.size());
            spawned.forEach(hive::assertOneExitOf);
        }
    }

    private final class Hive {
        final WorkerRegistry registry = WorkerRegistry.create();
        final FakeProcessController processes = new FakeProcessController();
        final RecordingListener heard = new RecordingListener();
        final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processController(processes)
                .ports(ports)
                .restartPolicy(RestartPolicy.never())
                .lifecycle(LifecycleConfig.builder()
                        .noIdleTimeout()
                        .tickInterval(Duration.ofMillis(1))
                        .build())
                .build();

        Hive() {
            registry.subscribe(heard, Runnable::run);
        }

        String spawn() {
            return supervisor
                    .spawn(WorkerSpec.builder()
                            .modelRef("tiny")
                            .command("serve", "{port}")
                            .build())
                    .id();
        }

        List<String> spawnUntilRefused() {
            List<String> spawned = new ArrayList<>();
            try {
                while (spawned.size() < SPAWNS) {
                    spawned.add(spawn());
                }
            } catch (IllegalStateException refused) {
                assertThat(refused).hasMessageContaining("shutting down");
            }
            return spawned;
        }

        Stream<Exit> exitsOf(String id) {
            return supervisor.recentExits().stream()
                    .filter(exit -> exit.workerId().equals(id));
        }

        Exit exitOf(String id) {
            return exitsOf(id).findAny().orElseThrow();
        }

        void assertOneExitOf(String id) {
            eventually(() -> removalsOf(id).findAny().isPresent()); // delivered after it is done
            assertThat(exitsOf(id)).hasSize(1);
            assertThat(removalsOf(id))
                    .singleElement()
                    .satisfies(removed ->
                            assertThat(removed.cause()).isEqualTo(exitOf(id).cause()));
        }

        private Stream<WorkerEvent.Removed> removalsOf(String id) {
            return heard.eventsOf(id).stream()
                    .filter(WorkerEvent.Removed.class::isInstance)
                    .map(WorkerEvent.Removed.class::cast);
        }

        void assertNothingLeft() {
            assertThat(registry.list()).as("records").isEmpty();
            assertThat(processes.running()).as("processes").isEmpty();
            eventually(() -> scheduler.getQueue().isEmpty());
            List<Integer> free =
                    IntStream.range(0, PORTS).map(i -> ports.acquire()).boxed().toList();
            free.forEach(ports::release);
        }
    }

    /** The results of the tasks, each on a thread of its own. */
    private <T> List<T> together(List<? extends Callable<? extends T>> tasks) throws Exception {
        CyclicBarrier start = new CyclicBarrier(tasks.size());
        List<Future<T>> running = new ArrayList<>();
        for (Callable<? extends T> task : tasks) {
            running.add(threads.submit(() -> {
                start.await();
                return task.call();
            }));
        }
        List<T> results = new ArrayList<>();
        for (Future<T> each : running) {
            results.add(each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }
        return results;
    }

    /** Polls often, because there are hundreds of iterations. */
    private static void eventually(Callable<Boolean> condition) {
        await().atMost(PATIENCE)
                .pollInSameThread()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(condition);
    }

    private static Throwable unwrapped(Throwable failure) {
        return failure instanceof CompletionException e && e.getCause() != null ? e.getCause() : failure;
    }
}
