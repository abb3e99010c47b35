package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A supervisor that has been closed, or that could not be built. */
@ExtendWith(UnexpectedWarnings.class)
class ClosedSupervisorTest {

    @Test
    void aClosedSupervisorStartsNothingAndKnowsNoWorker() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();

        hive.supervisor.closeNow();
        hive.supervisor.closeNow();

        assertThat(hive.processes.running()).isEmpty();
        List<WorkerInfo> workers = hive.registry.list();
        assertThatThrownBy(() -> hive.supervisor.spawn(VirtualHive.SPEC)).isInstanceOf(IllegalStateException.class);
        assertThat(hive.supervisor.reportReady(id)).isFalse();
        assertThat(hive.supervisor.reportProgress(id)).isFalse();
        Stream.of(
                        hive.supervisor.stop(id),
                        hive.supervisor.forceKill(id),
                        hive.supervisor.restart(id),
                        hive.supervisor.whenReady(id))
                .forEach(stage -> assertThatThrownBy(stage.toCompletableFuture()::join)
                        .hasCauseInstanceOf(NoSuchWorkerException.class)
                        .hasMessageContaining(id));
        assertThat(hive.shutdown(Duration.ofSeconds(1))).isCompleted();
        assertThat(hive.supervisor.recentExits()).hasSize(1);
        assertThat(hive.registry.list()).isEqualTo(workers);
        assertThat(hive.processes.starts()).isEqualTo(1);
        hive.time.runDueTasks(); // the removal of files
        assertThat(hive.time.pendingTasks()).isZero();
    }

    /** Regression: its shutdown hook stayed registered and referenced it. */
    @Test
    void aSupervisorRejectedByItsSchedulerIsNotReferenced() {
        WeakReference<WorkerRegistry> left = refused();

        await().atMost(Duration.ofSeconds(20)).until(() -> {
            System.gc();
            return left.get() == null;
        });
    }

    private static WeakReference<WorkerRegistry> refused() {
        VirtualTime time = new VirtualTime();
        WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
        ProcessController processes = new FakeProcessController();
        time.shutdown();
        WorkerSupervisor.Builder builder = WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .shutdownHook(Duration.ofSeconds(1));
        assertThatThrownBy(builder::build).isInstanceOf(RejectedExecutionException.class);
        return new WeakReference<>(registry);
    }
}
