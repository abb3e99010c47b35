package io.github.workerregistry.examples.bench;

import io.github.workerregistry.WorkerEvent.Crashed;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * The time from {@code kill -9} of a worker to the event at a listener, over many real processes.
 *
 * <p>The JDK reports an exit in the common pool. While the hive has filled that, the next tick detects it. So it is
 * measured twice, and each worker is killed at a random time between two ticks.
 */
final class KillToEvent {

    private static final int BATCH = 50;
    private static final int COMMON_POOL_TASKS = 64;

    /** An exit that the listener received, and when. */
    private record ObservedExit(String id, long nanos) {}

    private final BlockingQueue<ObservedExit> observed = new LinkedBlockingQueue<>();
    private final int kills;

    KillToEvent(int kills) {
        this.kills = kills;
    }

    void measure(Figures figures) throws InterruptedException {
        killAll(BATCH);
        figures.putSpread("kill to event, common pool idle,", "ms", 1e6, killAll(kills));
        CountDownLatch release = new CountDownLatch(1);
        try {
            for (int i = 0; i < COMMON_POOL_TASKS; i++) {
                ForkJoinPool.commonPool().execute(() -> awaitQuietly(release));
            }
            figures.putSpread("kill to event, common pool saturated,", "ms", 1e6, killAll(kills));
        } finally {
            release.countDown();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long[] killAll(int count) throws InterruptedException {
        WorkerRegistry registry = WorkerRegistry.create();
        ScheduledExecutorService scheduler = new ScheduledThreadPoolExecutor(1);
        ExecutorService listening = Executors.newSingleThreadExecutor();
        try (var subscription = registry.subscribe(
                        event -> {
                            if (event instanceof Crashed crashed) {
                                observed.add(new ObservedExit(crashed.worker().id(), System.nanoTime()));
                            }
                        },
                        listening);
                WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                        .restartPolicy(RestartPolicy.never())
                        .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
                        .build()) {
            long[] delays = new long[count];
            for (int done = 0; done < count; done += BATCH) {
                List<WorkerInfo> batch = spawn(supervisor, Math.min(BATCH, count - done));
                for (int i = 0; i < batch.size(); i++) {
                    delays[done + i] = kill(batch.get(i));
                }
            }
            return delays;
        } finally {
            scheduler.shutdown();
            listening.shutdown();
        }
    }

    private static List<WorkerInfo> spawn(WorkerSupervisor supervisor, int count) {
        WorkerSpec spec = WorkerSpec.builder()
                .modelRef("hf:TheBloke/TinyLlama")
                .command("sleep", "1000")
                .url("http://127.0.0.1:9")
                .build();
        List<WorkerInfo> workers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            workers.add(supervisor.spawn(spec));
        }
        return workers;
    }

    /** The delay in ns. */
    private long kill(WorkerInfo worker) throws InterruptedException {
        Duration tick = LifecycleConfig.defaults().tickInterval();
        TimeUnit.NANOSECONDS.sleep(ThreadLocalRandom.current().nextLong(tick.toNanos()));
        ProcessHandle process = ProcessHandle.of(worker.pid().orElseThrow()).orElseThrow();
        long killed = System.nanoTime();
        process.destroyForcibly();
        ObservedExit exit = observed.poll(1, TimeUnit.MINUTES);
        if (exit == null || !exit.id.equals(worker.id())) {
            throw new IllegalStateException("killed " + worker.id() + ", but observed " + exit);
        }
        return exit.nanos - killed;
    }
}
