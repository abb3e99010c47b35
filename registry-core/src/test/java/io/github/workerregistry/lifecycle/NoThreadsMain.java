package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerRegistry;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/**
 * A hive in a JVM of its own that shuts down when no more threads can be created. Prints the pid of its worker, then
 * the report of the shutdown. Expects a limit of its address space, and large stacks.
 */
final class NoThreadsMain {

    /** More threads than fit; without a limit, the test would show nothing. */
    private static final int TOO_MANY = 1_000;

    private NoThreadsMain() {}

    public static void main(String[] args) {
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(WorkerRegistry.create(), scheduler)
                .lifecycle(LifecycleConfig.builder()
                        .stopGrace(Duration.ofMillis(500))
                        .build())
                .build();
        String id = supervisor
                .spawn(WorkerSpec.builder()
                        .modelRef("m")
                        .url("http://127.0.0.1:9")
                        .command("sh", "-c", "trap '' TERM; while :; do sleep 600; done")
                        .build())
                .id();
        supervisor.reportReady(id);

        CountDownLatch release = new CountDownLatch(1);
        System.out.println("threads until there were no more: " + makeThreads(release));
        System.out.println(
                supervisor.shutdown(Duration.ofSeconds(1)).toCompletableFuture().join());
        release.countDown();
        scheduler.shutdown();
    }

    private static int makeThreads(CountDownLatch release) {
        for (int made = 0; made < TOO_MANY; made++) {
            Thread thread = new Thread(() -> awaitUninterrupted(release));
            thread.setDaemon(true);
            try {
                thread.start();
            } catch (OutOfMemoryError noMore) {
                return made;
            }
        }
        throw new IllegalStateException("there is no limit");
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
