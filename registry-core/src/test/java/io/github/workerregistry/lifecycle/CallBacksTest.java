package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A call-back that blocks for ever, as {@code System.exit} does in one, until the shutdown hook is done: it ran in the
 * middle of a decision about a worker, and nothing could be decided about that worker any more.
 */
@ExtendWith(UnexpectedWarnings.class)
class CallBacksTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final CountDownLatch release = new CountDownLatch(1);
    private final CountDownLatch blocked = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();

    private void block() {
        blocked.countDown();
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Does something in a thread of its own, up to the call-back that blocks. */
    private void untilItBlocks(Runnable action) {
        Thread thread = new Thread(action);
        threads.add(thread);
        thread.start();
        await().until(() -> blocked.getCount() == 0);
    }

    @AfterEach
    void letGo() throws InterruptedException {
        release.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** Where the hive blocks. */
    enum Where {
        WHEN_READY,
        LISTENER,
        STOP,
        FORCE_KILL,
        STOP_REQUEST
    }

    /** Of a bounded pool whose queue is full, say: the exit was not dealt with, and the worker could not be stopped. */
    @Test
    void anExecutorThatBlocksAtAReleaseKeepsNothingFromBeingDecided() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        VirtualHive hive = new VirtualHive(builder -> builder.blocking(task -> {
                    block();
                    task.run();
                })
                .restart(RestartPolicy.onFailure()));
        String id = hive.spawnReady();
        untilItBlocks(() -> hive.processes.exit(id, 1));

        assertThat(hive.state(id)).isInstanceOf(BackingOff.class);
        assertThat(hive.supervisor.stop(id).toCompletableFuture()).isCompleted();
        assertThat(hive.isGone(id)).isTrue();
    }

    /** Whoever waits for the end finds no file left, where the executor runs its tasks at once. */
    @Test
    void aProcessIsReleasedBeforeTheEndIsTold() {
        List<String> order = new ArrayList<>();
        FakeProcessController processes = new FakeProcessController();
        VirtualHive hive = new VirtualHive(builder -> builder.blocking(Runnable::run)
                .processes(spec -> new ForwardingProcess(processes.start(spec)) {
                    @Override
                    public void release() {
                        order.add("released");
                    }
                }));
        String id = hive.spawnReady();

        processes.ignoreTerminate(id);
        hive.supervisor.stop(id).thenRun(() -> order.add("told"));

        processes.exit(id, 0);

        assertThat(order).containsExactly("released", "told");
    }

    @ParameterizedTest
    @EnumSource
    void aCallBackThatBlocksKeepsNothingFromBeingDecided(Where where) {
        UnexpectedWarnings.allow("is gone: CRASHED");
        VirtualHive hive = new VirtualHive(builder -> (where == Where.STOP_REQUEST
                        ? builder.stopRequest(worker -> {
                            if (blocked.getCount() > 0) {
                                block();
                            }
                            return CompletableFuture.completedFuture(false);
                        })
                        : builder)
                .restart(RestartPolicy.builder().jitter(0).build()));
        String deaf = hive.spawnReady();
        hive.processes.ignoreTerminate(deaf);
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();
        switch (where) {
            case WHEN_READY -> {
                hive.supervisor.whenReady(id).whenComplete((worker, failure) -> block());
                untilItBlocks(() -> hive.processes.exit(id, 1));
            }
            case LISTENER -> {
                hive.registry.subscribe(
                        event -> {
                            if (event instanceof WorkerEvent.Crashed) {
                                block();
                            }
                        },
                        Runnable::run);
                untilItBlocks(() -> hive.processes.exit(id, 1));
            }
            case STOP -> untilItBlocks(() -> hive.supervisor.stop(id).thenRun(this::block));
            case FORCE_KILL -> untilItBlocks(() -> hive.supervisor.forceKill(id).thenRun(this::block));
            case STOP_REQUEST -> untilItBlocks(() -> hive.supervisor.stop(id));
        }

        CompletableFuture<ShutdownReport> report =
                hive.supervisor.shutdown(Duration.ofSeconds(5)).toCompletableFuture();
        hive.advanceSeconds(5);

        assertThat(report).isCompleted();
        assertThat(hive.processes.running()).isEmpty();
        assertThat(hive.registry.list()).isEmpty();
    }

    /** Nor the loops, where it blocks the hive's only thread. */
    @ParameterizedTest
    @EnumSource(names = {"WHEN_READY", "LISTENER", "FORCE_KILL"})
    void aCallBackThatBlocksTheSchedulerKeepsNoStopFromItsEnd(Where where) throws InterruptedException {
        UnexpectedWarnings.allow("is gone: CRASHED");
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
        FakeProcessController processes = new FakeProcessController();
        WorkerRegistry registry = WorkerRegistry.create();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processes(processes)
                .restart(RestartPolicy.never())
                .config(LifecycleConfig.builder()
                        .sweep(Duration.ofMillis(10))
                        .stopGrace(Duration.ofMillis(100))
                        .build())
                .build();
        try {
            String deaf = supervisor.spawn(VirtualHive.SPEC).id();
            processes.ignoreTerminate(deaf);
            String id = supervisor.spawn(VirtualHive.SPEC).id();
            if (where == Where.LISTENER) {
                registry.subscribe(event -> block(), Runnable::run);
            } else if (where == Where.WHEN_READY) {
                supervisor.whenReady(id).whenComplete((worker, failure) -> block());
            } else {
                processes.ignoreKill(id);
                supervisor.forceKill(id).thenRun(this::block);
            }
            processes.exitUnnoticed(id, 1); // seen by the loops, on the scheduler
            await().until(() -> blocked.getCount() == 0);

            assertThat(supervisor.stop(deaf).toCompletableFuture()).succeedsWithin(PATIENCE);
        } finally {
            release.countDown();
            supervisor.close();
            scheduler.shutdownNow();
            assertThat(scheduler.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
        }
    }

    @Test
    void aCallBackThatThrowsKeepsTheOthersFromNothing() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnLoading();
        List<String> told = new ArrayList<>();
        hive.supervisor.whenReady(id).whenComplete((worker, failure) -> {
            throw new IllegalStateException("broken");
        });
        hive.supervisor.whenReady(id).whenComplete((worker, failure) -> told.add("second"));

        hive.processes.exit(id, 1);

        assertThat(told).containsExactly("second");
    }

    @Test
    void listenersHearOfADecisionWhenItHasBeenTakenAndBeforeTheStagesComplete() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();
        List<String> told = new ArrayList<>();
        hive.registry.subscribe(
                event -> told.add(event.getClass().getSimpleName() + ", "
                        + hive.processes.running().size() + " running"),
                Runnable::run);

        hive.supervisor.stop(id).thenRun(() -> told.add("stage"));

        assertThat(told).containsExactly("Stopping, 0 running", "Removed, 0 running", "stage");
    }
}
