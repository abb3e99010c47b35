package io.github.workerregistry.examples.bench;

import io.github.workerregistry.WorkerEvent.Removed;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;

/** Whether a follower whose listener blocks slows a worker down: the time in which a worker writes much, by turns. */
final class FollowPace {

    private final int rounds;
    private final WorkerSpec writer;

    /** A worker that writes so many megabytes, in lines of 64 bytes. */
    FollowPace(int rounds, int megabytes) {
        this.rounds = rounds;
        String line = "x".repeat(63);
        this.writer = WorkerSpec.builder()
                .modelRef("hf:TheBloke/TinyLlama")
                .command("sh", "-c", "yes " + line + " | head -c " + megabytes + "M")
                .url("http://127.0.0.1:9")
                .build();
    }

    void measure(Figures figures) throws InterruptedException {
        long[] alone = new long[rounds];
        long[] followed = new long[rounds];
        for (int i = 0; i < rounds; i++) {
            alone[i] = write(false);
            followed[i] = write(true);
        }
        figures.putSpread("write of a worker,", "s", 1e9, alone);
        figures.putSpread("write of a worker beside a listener that blocks,", "s", 1e9, followed);
    }

    private long write(boolean follow) throws InterruptedException {
        WorkerRegistry registry = WorkerRegistry.create();
        CompletableFuture<Void> ended = new CompletableFuture<>();
        registry.subscribe(
                event -> {
                    if (event instanceof Removed) {
                        ended.complete(null);
                    }
                },
                Runnable::run);
        ScheduledExecutorService scheduler = new ScheduledThreadPoolExecutor(1);
        ExecutorService listening = Executors.newSingleThreadExecutor();
        CountDownLatch release = new CountDownLatch(1);
        try (WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .restartPolicy(RestartPolicy.never())
                .build()) {
            long begun = System.nanoTime();
            WorkerInfo worker = supervisor.spawn(writer);
            if (follow) {
                supervisor.follow(worker.id(), line -> awaitUninterruptibly(release), listening);
            }
            ended.join();
            return System.nanoTime() - begun;
        } finally {
            release.countDown();
            listening.shutdown();
            scheduler.shutdown();
        }
    }

    private static void awaitUninterruptibly(CountDownLatch release) {
        try {
            release.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
