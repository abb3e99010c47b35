package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.RecordingListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Executors that break their contract: the one for blocking calls, and a listener's. */
@ExtendWith(UnexpectedWarnings.class)
class FaultyExecutorTest {

    static Stream<FaultyExecutor> executors() {
        return Stream.of(
                new FaultyExecutor("runs every task twice", (task, held) -> {
                    task.run();
                    task.run();
                }),
                new FaultyExecutor(
                        "runs a task and then throws",
                        (task, held) -> {
                            task.run();
                            throw new IllegalStateException("broken");
                        },
                        "the executor that started it failed"),
                new FaultyExecutor(
                        "runs a task and then throws an Error",
                        (task, held) -> {
                            task.run();
                            throw new AssertionError("broken");
                        },
                        "the executor that started it failed"),
                new FaultyExecutor(
                        "rejects a task and runs it later",
                        (task, held) -> {
                            held.add(task);
                            throw new RejectedExecutionException("queue full");
                        },
                        Warnings.START_FAILED));
    }

    /** Regression: the process of a task that ran and then threw ran on without a record. */
    @ParameterizedTest
    @MethodSource("executors")
    void aFaultyBlockingExecutorStartsOneProcessAndReleasesOnce(FaultyExecutor executor) {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        executor.expectWarnings();
        List<Runnable> held = new ArrayList<>();
        List<String> released = new ArrayList<>();
        VirtualHive hive = new VirtualHive((self, builder) -> builder.restartPolicy(
                        RestartPolicy.builder().jitter(0).build())
                .blockingExecutor(task -> executor.run().execute(task, held))
                .processController(spec -> {
                    WorkerProcess whole = self.processes.start(spec);
                    String which = "process " + self.processes.starts();
                    return Fault.inject(whole, "release", () -> {
                        released.add(which);
                        return null;
                    });
                }));
        String id = hive.spawnReady();

        hive.processes.exit(id, 1);
        hive.advanceSeconds(1);
        assertThat(released).as("even if the task never runs").containsExactly("process 1");
        List.copyOf(held).forEach(Runnable::run);
        hive.advanceSeconds(1);

        boolean refuses = !held.isEmpty();
        assertThat(hive.processes.starts()).isEqualTo(refuses ? 1 : 2);
        assertThat(hive.processes.running()).hasSize(refuses ? 0 : 1);
        assertThat(released).containsExactly("process 1");
        hive.supervisor.stop(id);
        hive.advanceSeconds(60);
        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.processes.running()).isEmpty();
    }

    static Stream<FaultyExecutor> listenersExecutors() {
        return Stream.of(
                new FaultyExecutor("rejects", (task, held) -> {
                    throw new RejectedExecutionException("shut down");
                }),
                new FaultyExecutor(
                        "throws",
                        (task, held) -> {
                            throw new IllegalStateException("broken");
                        },
                        "its executor failed"),
                new FaultyExecutor(
                        "throws an Error",
                        (task, held) -> {
                            throw new AssertionError("broken");
                        },
                        "its executor failed"),
                new FaultyExecutor("drops", (task, held) -> {}),
                new FaultyExecutor("runs every task twice", (task, held) -> {
                    task.run();
                    task.run();
                }),
                new FaultyExecutor(
                        "runs a task and then throws",
                        (task, held) -> {
                            task.run();
                            throw new IllegalStateException("broken");
                        },
                        "its executor failed"));
    }

    @ParameterizedTest
    @MethodSource("listenersExecutors")
    void aFaultyListenerExecutorAffectsItsOwnListenerOnly(FaultyExecutor executor) {
        executor.expectWarnings();
        VirtualHive hive = new VirtualHive();
        RecordingListener heard = new RecordingListener();
        hive.registry.subscribe(heard, task -> executor.run().execute(task, List.of()));

        String id = hive.spawnReady();
        hive.supervisor.stop(id);

        List<String> all = List.of("Registered", "BecameReady", "StopStarted", "Removed");
        assertThat(hive.heard.historyOf(id)).isEqualTo(all);
        List<String> delivered = heard.historyOf(id);
        assertThat(delivered).isEqualTo(all.subList(0, delivered.size())); // nothing twice, and in order
    }

    /** Regression: the rejected drain and the next one delivered two events at a time. */
    @Test
    void anExecutorThatRejectsATaskAndRunsItLaterDeliversOneEventAtATime() {
        UnexpectedWarnings.expect("its executor failed");
        VirtualHive hive = new VirtualHive();
        List<Runnable> held = new ArrayList<>();
        AtomicInteger atATime = new AtomicInteger();
        List<Integer> heard = new ArrayList<>();
        hive.registry.subscribe(
                event -> {
                    heard.add(atATime.incrementAndGet());
                    held.forEach(Runnable::run);
                    atATime.decrementAndGet();
                },
                task -> {
                    if (held.isEmpty()) {
                        held.add(task);
                        throw new IllegalStateException("broken");
                    }
                    task.run();
                });

        hive.spawnReady();

        assertThat(heard).containsExactly(1, 1);
    }
}
