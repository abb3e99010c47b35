package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.FailedStage.failureOf;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.BrokenLog;
import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Replacements by another worker, with an executor, a log or another supervisor in the way. */
@ExtendWith(UnexpectedWarnings.class)
class ReplaceFaultsTest {

    @RegisterExtension
    private final LoggedLines logged = new LoggedLines();

    private static CompletableFuture<WorkerInfo> replace(WorkerSupervisor supervisor, String id) {
        return supervisor.replace(id, VirtualHive.SPEC).toCompletableFuture();
    }

    /** Two supervisors of one registry give the same ids. */
    @Test
    void aGeneratedIdThatIsRegisteredConcurrentlyDoesNotFailTheStage() {
        VirtualTime time = new VirtualTime();
        List<Runnable> atTheNextReading = new ArrayList<>();
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock(() -> {
                    List<Runnable> due = List.copyOf(atTheNextReading);
                    atTheNextReading.clear();
                    due.forEach(Runnable::run);
                    return time.instant();
                })
                .build();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                .processController(new FakeProcessController())
                .blockingExecutor(Runnable::run)
                .build();
        String old = supervisor.spawn(VirtualHive.SPEC).id();
        supervisor.reportReady(old);
        WorkerInfo rival =
                registry.get(old).orElseThrow().toBuilder().id("tiny-2").build();
        atTheNextReading.add(() -> registry.register(rival));

        CompletableFuture<WorkerInfo> replaced = replace(supervisor, old);

        assertThat(registry.get("tiny-3")).isPresent();
        assertThat(replaced).isNotDone();
        supervisor.reportReady("tiny-3");
        assertThat(replaced).isCompletedWithValueMatching(ready -> ready.id().equals("tiny-3"));
    }

    @Test
    void aStartThatTheExecutorDropsFailsTheStage() throws InterruptedException {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        VirtualHive hive = new VirtualHive(builder -> builder.blockingExecutor(executor));
        String id = hive.spawnReady();
        CountDownLatch never = new CountDownLatch(1);
        executor.execute(() -> {
            try {
                never.await();
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
        });
        CompletableFuture<WorkerInfo> replaced = replace(hive.supervisor, id);

        executor.shutdownNow();
        assertThat(executor.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        hive.advance(Duration.ofMillis(200));

        assertThat(failureOf(replaced)).isInstanceOf(SpawnException.class).hasMessageContaining("has ended");
        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void aLogThatFailsDoesNotKeepTheStageFromCompleting() {
        VirtualHive hive = new VirtualHive(builder -> builder.blockingExecutor(Runnable::run));
        String id = hive.spawnReady();
        CompletableFuture<WorkerInfo> replaced = replace(hive.supervisor, id);
        UnexpectedWarnings.allow("a decision about it failed", "failed");

        try (BrokenLog unused = new BrokenLog(WorkerSupervisor.class)) {
            try {
                hive.supervisor.reportReady("tiny-2");
            } catch (Error noMemoryForTheLog) {
                assertThat(noMemoryForTheLog).hasMessageContaining("log");
            }
            hive.advanceSeconds(1);
        }

        assertThat(replaced).isDone();
    }
}
