package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static io.github.workerregistry.lifecycle.RealHive.kill9;
import static io.github.workerregistry.lifecycle.RealHive.restarts;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.testing.RecordingListener;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A hung listener, with real processes. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ListenerIT {

    private static final int CAPACITY = 5;

    @RegisterExtension
    final RealHive hive =
            new RealHive(WorkerRegistry.builder().eventQueueCapacity(CAPACITY).build());

    @Test
    void aHungListenerDelaysNothingAndLosesItsOwnEvents() throws InterruptedException {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 9");
        ExecutorService ownThread = Executors.newSingleThreadExecutor();
        CountDownLatch release = new CountDownLatch(1);
        RecordingListener late = new RecordingListener();
        try (var subscription = hive.registry.subscribe(
                event -> {
                    late.onEvent(event);
                    awaitForEver(release);
                },
                ownThread)) {
            WorkerSupervisor supervisor = hive.supervise(restarts(Duration.ofMillis(50), 5));
            WorkerInfo worker = hive.spawn(supervisor, SLEEP);
            eventually().until(() -> !late.events().isEmpty());

            for (int restart = 1; restart <= 3; restart++) {
                kill9(hive.worker(worker));
                assertThat(isRunning(hive.awaitRestart(worker, restart))).isTrue();
            }
            assertThat(hive.heard.historyOf(worker.id()))
                    .startsWith("Registered", "Crashed", "RestartScheduled", "Restarted")
                    .hasSize(1 + 3 * 3);
            assertThat(late.events()).as("it is still hung").hasSize(1);
            List<WorkerEvent> delivered = hive.heard.events();

            release.countDown();
            eventually().until(() -> late.events().size() == 1 + CAPACITY + 1);
            assertThat(late.events().subList(0, 1 + CAPACITY)).isEqualTo(delivered.subList(0, 1 + CAPACITY));
            assertThat(late.events()).last().isEqualTo(new WorkerEvent.Overflowed(delivered.size() - 1 - CAPACITY));

            assertThat(supervisor.stop(worker.id()).toCompletableFuture()).succeedsWithin(PATIENCE);
            eventually().until(() -> late.historyOf(worker.id()).contains("Removed"));
        } finally {
            release.countDown();
            ownThread.shutdown();
            assertThat(ownThread.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
        }
    }

    private static void awaitForEver(CountDownLatch release) {
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
