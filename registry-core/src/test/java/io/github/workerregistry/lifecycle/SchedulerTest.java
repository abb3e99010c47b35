package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.testing.FakeProcessController;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The hive's scheduler is shut down, blocked or shared by many supervisors. In real time. */
@ExtendWith(UnexpectedWarnings.class)
class SchedulerTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @Test
    void aShutdownCompletesThoughTheSchedulerIsShutDown() {
        try (ScheduledHive hive = new ScheduledHive()) {
            hive.processes.ignoreTerminate(hive.spawn());
            hive.scheduler.shutdownNow();

            assertThat(hive.shutdown(Duration.ofMillis(300)))
                    .succeedsWithin(PATIENCE)
                    .isEqualTo(new ShutdownReport(1, 0, 0, 1, 0));
        }
    }

    /** Regression: the worker was spawned, and no tick supervised it. */
    @Test
    void noWorkerIsSpawnedOnceTheSchedulerIsShutDown() {
        try (ScheduledHive hive = new ScheduledHive()) {
            hive.scheduler.shutdown();

            assertThatThrownBy(hive::spawn)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("scheduler");

            assertThat(hive.processes.starts()).isZero();
            assertThat(hive.registry.list()).isEmpty();
        }
    }

    @Test
    void aStopCompletesThoughTheSchedulerIsBlocked() throws InterruptedException {
        try (ScheduledHive hive = new ScheduledHive(builder -> builder.lifecycle(
                LifecycleConfig.builder().stopGrace(Duration.ofMillis(100)).build()))) {
            String ignoresTerm = hive.spawn();
            hive.processes.ignoreTerminate(ignoresTerm);
            hive.blockScheduler();

            assertThat(hive.stop(ignoresTerm)).succeedsWithin(PATIENCE).isEqualTo(ExitStatus.requested(137));
        }
    }

    @Test
    void aThousandSupervisorsOnOneSchedulerLeaveNothingInItsQueue() {
        ScheduledThreadPoolExecutor shared = new ScheduledThreadPoolExecutor(1);
        try {
            for (int i = 0; i < 1000; i++) {
                WorkerSupervisor.builder(WorkerRegistry.create(), shared)
                        .processController(new FakeProcessController())
                        .build()
                        .close();
            }
            assertThat(shared.getQueue()).isEmpty();
        } finally {
            shared.shutdownNow();
        }
    }

    @Test
    void theSchedulerHoldsNoReferenceToAClosedSupervisor() {
        ScheduledThreadPoolExecutor shared = new ScheduledThreadPoolExecutor(1);
        try {
            WeakReference<WorkerRegistry> registry = new WeakReference<>(closedSupervisorsRegistry(shared));
            await().until(() -> {
                System.gc();
                return registry.get() == null;
            });
        } finally {
            shared.shutdownNow();
        }
    }

    private static WorkerRegistry closedSupervisorsRegistry(ScheduledExecutorService scheduler) {
        WorkerRegistry registry = WorkerRegistry.create();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processController(new FakeProcessController())
                .shutdownHook(PATIENCE)
                .build();
        supervisor.spawn(VirtualHive.SPEC);
        supervisor.shutdown(PATIENCE).toCompletableFuture().join();
        supervisor.closeNow();
        return registry;
    }
}
