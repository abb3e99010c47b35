package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.testing.FakeProcessController;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.UnaryOperator;

/** A registry and a supervisor with fake processes, on a real scheduler of one thread. */
final class ScheduledHive implements AutoCloseable {

    final ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
    final FakeProcessController processes = new FakeProcessController();
    final WorkerRegistry registry = WorkerRegistry.create();
    final WorkerSupervisor supervisor;

    private final CountDownLatch release = new CountDownLatch(1);

    ScheduledHive() {
        this(UnaryOperator.identity());
    }

    ScheduledHive(UnaryOperator<WorkerSupervisor.Builder> settings) {
        supervisor = settings.apply(
                        WorkerSupervisor.builder(registry, scheduler).processController(processes))
                .build();
    }

    String spawn() {
        return supervisor.spawn(VirtualHive.SPEC).id();
    }

    String spawnReady() {
        String id = spawn();
        supervisor.reportReady(id);
        return id;
    }

    CompletableFuture<ExitStatus> stop(String id) {
        return supervisor.stop(id).toCompletableFuture();
    }

    CompletableFuture<ShutdownReport> shutdown(Duration deadline) {
        return supervisor.shutdown(deadline).toCompletableFuture();
    }

    /** Blocks the scheduler's thread until this is closed. */
    void blockScheduler() throws InterruptedException {
        CountDownLatch blocked = new CountDownLatch(1);
        scheduler.execute(() -> {
            blocked.countDown();
            awaitRelease();
        });
        blocked.await();
    }

    private void awaitRelease() {
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        release.countDown();
        supervisor.closeNow();
        scheduler.shutdownNow();
    }
}
