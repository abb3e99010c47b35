package io.github.workerregistry.examples.bench;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The CPU time of health checks of many idle workers, with a probe that answers immediately. Virtual time runs
 * everything on the thread whose CPU time is measured.
 *
 * <p>Measures a tick in which each worker is probed, and an ordinary tick, in which no probe is due.
 */
final class HealthRound {

    private static final Duration INTERVAL = Duration.ofSeconds(30);
    private static final int WARM_UP = 20;

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private final int workers;
    private final int rounds;

    HealthRound(int workers, int rounds) {
        this.workers = workers;
        this.rounds = rounds;
    }

    /** The health interval has 10 % jitter: if ticks are a little further apart, each probes every worker. */
    void measure(Figures figures) {
        Duration all = INTERVAL.plus(INTERVAL.dividedBy(5));
        measure(figures, "health round over " + workers + " workers", all, INTERVAL, rounds, workers);
        measure(
                figures,
                "tick over " + workers + " workers",
                LifecycleConfig.defaults().tickInterval(),
                Duration.ofDays(1),
                rounds,
                0);
    }

    private void measure(Figures figures, String name, Duration tick, Duration interval, int times, int probesEach) {
        VirtualTime time = new VirtualTime();
        AtomicLong probes = new AtomicLong();
        WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
        LifecycleConfig config = LifecycleConfig.builder()
                .healthInterval(interval)
                .tickInterval(tick)
                .noIdleTimeout()
                .build();
        try (WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                .processController(new FakeProcessController())
                .lifecycle(config)
                .healthProbe((worker, timeout) -> {
                    probes.incrementAndGet();
                    return CompletableFuture.completedFuture(HealthStatus.healthy());
                })
                .build()) {
            for (int i = 0; i < workers; i++) {
                registry.register(WorkerInfo.builder()
                        .id("worker-" + i)
                        .url("http://127.0.0.1:8100")
                        .modelRef("hf:TheBloke/TinyLlama")
                        .state(new Idle())
                        .startedAt(time.instant())
                        .build());
            }
            time.advance(tick); // plans the first probes
            for (int i = 0; i < WARM_UP; i++) {
                time.advance(tick);
            }
            probes.set(0);
            long[] nanos = new long[times];
            for (int i = 0; i < times; i++) {
                long start = threads.getCurrentThreadCpuTime();
                time.advance(tick);
                nanos[i] = threads.getCurrentThreadCpuTime() - start;
            }
            if (probes.get() != (long) probesEach * times) {
                throw new IllegalStateException(name + ": expected " + probesEach + " probes in each of " + times
                        + " rounds, there were " + probes.get() + " in all");
            }
            figures.putSpread(name, "ms", 1e6, nanos);
        }
    }
}
