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
 * A call-back that blocks without end, as {@code System.exit} does until the shutdown hook has run. Regression: it ran
 * inside the serial executor of a worker, and no further decision about that worker was possible.
 */
@ExtendWith(UnexpectedWarnings.class)
class DeferredCallBacksTest {

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

    /** Runs an action on a thread of its own, until its call-back blocks. */
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

    /** The call-back that blocks. */
    enum Where {
        WHEN_READY,
        LISTENER,
        STOP,
        FORCE_KILL,
        STOP_REQUEST
    }

    /**
     * For example a bounded pool with a full queue. Regression: the exit was not processed, and the worker could not be
     * stopped.
     */
    @Test
    void aBlockedReleaseDoesNotBlockDecisions() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive hive = new VirtualHive(builder -> builder.blockingExecutor(task -> {
                    block();
                    task.run();
                })
                .restartPolicy(RestartPolicy.onFailure()));
        String id = hive.spawnReady();
        untilItBlocks(() -> hive.processes.exit(id, 1));

        assertThat(hive.state(id)).isInstanceOf(BackingOff.class);
        assertThat(hive.stop(id)).isCompleted();
        assertThat(hive.isRemoved(id)).isTrue();
    }

    /** Output files are removed before the stage completes, if the executor runs its tasks at once. */
    @Test
    void aProcessIsReleasedBeforeItsStopCompletes() {
        List<String> order = new ArrayList<>();
        FakeProcessController processes = new FakeProcessController();
        VirtualHive hive = new VirtualHive(builder -> builder.blockingExecutor(Runnable::run)
                .processController(spec -> new ForwardingProcess(processes.start(spec)) {
                    @Override
                    public void release() {
                        order.add("released");
                    }
                }));
        String id = hive.spawnReady();

        processes.ignoreTerminate(id);
        hive.supervisor.stop(id).thenRun(() -> order.add("stopped"));

        processes.exit(id, 0);

        assertThat(order).containsExactly("released", "stopped");
    }

    @ParameterizedTest
    @EnumSource
    void aBlockedCallBackDoesNotBlockDecisions(Where where) {
        UnexpectedWarnings.allow(Warnings.CRASHED);
        VirtualHive hive = new VirtualHive(builder -> (where == Where.STOP_REQUEST
                        ? builder.stopRequest(worker -> {
                            if (blocked.getCount() > 0) {
                                block();
                            }
                            return CompletableFuture.completedFuture(false);
                        })
                        : builder)
                .restartPolicy(RestartPolicy.builder().jitter(0).build()));
        String ignoresTerm = hive.spawnReady();
        hive.processes.ignoreTerminate(ignoresTerm);
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

        CompletableFuture<ShutdownReport> report = hive.shutdown(Duration.ofSeconds(5));
        hive.advanceSeconds(5);

        assertThat(report).isCompleted();
        assertThat(hive.processes.running()).isEmpty();
        assertThat(hive.registry.list()).isEmpty();
    }

    /** The ticks continue although the hive's only thread is blocked. */
    @ParameterizedTest
    @EnumSource(names = {"WHEN_READY", "LISTENER", "FORCE_KILL"})
    void aCallBackThatBlocksTheSchedulerDoesNotBlockStops(Where where) throws InterruptedException {
        UnexpectedWarnings.allow(Warnings.CRASHED);
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
        FakeProcessController processes = new FakeProcessController();
        WorkerRegistry registry = WorkerRegistry.create();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processController(processes)
                .restartPolicy(RestartPolicy.never())
                .lifecycle(LifecycleConfig.builder()
                        .tickInterval(Duration.ofMillis(10))
                        .stopGrace(Duration.ofMillis(100))
                        .build())
                .build();
        try {
            String ignoresTerm = supervisor.spawn(VirtualHive.SPEC).id();
            processes.ignoreTerminate(ignoresTerm);
            String id = supervisor.spawn(VirtualHive.SPEC).id();
            if (where == Where.LISTENER) {
                registry.subscribe(event -> block(), Runnable::run);
            } else if (where == Where.WHEN_READY) {
                supervisor.whenReady(id).whenComplete((worker, failure) -> block());
            } else {
                processes.ignoreKill(id);
                supervisor.forceKill(id).thenRun(this::block);
            }
            processes.exitUnnoticed(id, 1); // detected by a tick, on the scheduler
            await().until(() -> blocked.getCount() == 0);

            assertThat(supervisor.stop(ignoresTerm).toCompletableFuture()).succeedsWithin(PATIENCE);
        } finally {
            release.countDown();
            supervisor.closeNow();
            scheduler.shutdownNow();
            assertThat(scheduler.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
        }
    }

    @Test
    void aCallBackThatThrowsDoesNotSuppressOthers() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnLoading();
        List<String> observed = new ArrayList<>();
        hive.supervisor.whenReady(id).whenComplete((worker, failure) -> {
            throw new IllegalStateException("broken");
        });
        hive.supervisor.whenReady(id).whenComplete((worker, failure) -> observed.add("second"));

        hive.processes.exit(id, 1);

        assertThat(observed).containsExactly("second");
    }

    @Test
    void eventsAreDeliveredAfterTheDecisionAndBeforeStagesComplete() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();
        List<String> observed = new ArrayList<>();
        hive.registry.subscribe(
                event -> observed.add(event.getClass().getSimpleName() + ", "
                        + hive.processes.running().size() + " running"),
                Runnable::run);

        hive.supervisor.stop(id).thenRun(() -> observed.add("stage"));

        assertThat(observed).containsExactly("StopStarted, 0 running", "Removed, 0 running", "stage");
    }
}
