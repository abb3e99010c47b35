package io.github.workerregistry.examples.faults;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.PortPool;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.EvictionReason;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.process.LocalProcessController;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * A pool of six models over room for three, in a registry of its own, beside the run's other workers: callers, faults,
 * updates of its config, and the number of its processes.
 */
final class PoolUnderFire implements AutoCloseable {

    private static final int CENSUS_MILLIS = 30;
    private static final int PACE = 3; // a fault for each three of the other workers
    private static final int WAIT_MILLIS = 20;

    private final Bounds bounds;
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final Path directory = Files.createTempDirectory("fault-run-pool");
    private final ScheduledThreadPoolExecutor ours = new ScheduledThreadPoolExecutor(2);
    private final WorkerSupervisor supervisor;
    private final WorkerPool pool;
    private final PoolJudge judge;
    private final PoolCallers callers;
    private final PoolInjector injector;
    private final PoolCensus census;
    private Future<?> faults = new CompletableFuture<>();

    /**
     * Builds the pool, without traffic.
     *
     * @param scheduler runs the supervisor and the pool
     * @param listening runs the listeners
     */
    PoolUnderFire(
            String runId,
            Bounds bounds,
            PortPool ports,
            Ledger ledger,
            LeftOvers leftOvers,
            Remarks remarks,
            ScheduledExecutorService scheduler,
            Executor listening,
            long seed)
            throws IOException {
        this.bounds = bounds;
        PoolModels models = new PoolModels(runId, directory);
        judge = new PoolJudge(ledger, System::nanoTime);
        registry.subscribe(judge, listening);
        registry.subscribe(leftOvers, listening);
        supervisor = WorkerSupervisor.builder(registry, scheduler)
                .processController(LocalProcessController.builder()
                        .hiveId("fault-run-pool")
                        .discardOutput()
                        .build())
                .healthProbe(HttpHealthProbe.at("/health"))
                .lifecycle(oftenIdle(bounds.config()))
                .ports(ports)
                .shutdownHook(Duration.ofSeconds(10))
                .build();
        pool = WorkerPool.builder(registry, supervisor).config(models.config()).build();
        pool.subscribe(judge, listening);
        callers = new PoolCallers(pool, judge, bounds, remarks, System::nanoTime);
        injector = new PoolInjector(registry, pool, models, judge, seed);
        census = new PoolCensus(PoolModels.mark(runId));
    }

    private static LifecycleConfig oftenIdle(LifecycleConfig config) {
        return config.toBuilder()
                .idleTimeout(config.healthInterval().multipliedBy(2))
                .build();
    }

    /**
     * Begins traffic and faults.
     *
     * @param guarded makes an action report its own failures
     */
    void begin(Duration pace, UnaryOperator<Runnable> guarded) {
        callers.begin();
        every(CENSUS_MILLIS, guarded.apply(census));
        faults = every(PACE * pace.toMillis(), guarded.apply(injector));
    }

    private Future<?> every(long millis, Runnable action) {
        return ours.scheduleWithFixedDelay(action, millis, millis, TimeUnit.MILLISECONDS);
    }

    boolean everyKindHasCome() {
        return injector.everyKindHasCome();
    }

    /** No more faults and updates; the callers go on. */
    void stopFaults() {
        faults.cancel(false);
        injector.stop();
    }

    /** Whether each fault and update has had its effect. */
    boolean isSettled() {
        return judge.isSettled();
    }

    /** Closes the pool while requests wait, and waits until callers and processes have ended. */
    void end(Report report) throws InterruptedException {
        judge.closing();
        pool.close();
        Duration longest = bounds.request().plus(bounds.margin()).plus(bounds.of(FaultKind.END));
        report.none("model pool: callers that did not end", callers.join(longest));
        long deadline = System.nanoTime() + longest.toNanos();
        while (!registry.list().isEmpty() && System.nanoTime() - deadline < 0) {
            Thread.sleep(WAIT_MILLIS);
        }
        report.none("model pool: workers still registered", registry.list());
        supervisor.close();
        ours.shutdown();
        ours.awaitTermination(1, TimeUnit.MINUTES);
    }

    /** The lines of the pool; called when all events have been delivered. */
    void report(Report report) {
        judge.end();
        report.line(
                census.most() >= 1 && census.most() <= PoolModels.ROOM,
                String.format(
                        Locale.ROOT,
                        "model pool: at most %d processes alive, room for %d, counted %,d times",
                        census.most(),
                        PoolModels.ROOM,
                        census.looks()));
        report.line(
                callers.answered() > 0,
                String.format(
                        Locale.ROOT,
                        "model pool: %,d requests answered, %,d lost with a worker that was hit",
                        callers.answered(),
                        callers.lost()));
        report.none("model pool: requests cut off", callers.cutOff());
        report.none("model pool: leases of a replaced revision", callers.outdated());
        report.note(String.format(
                Locale.ROOT,
                "model pool: %,d workers evicted, %,d of them busy; %,d models replaced by surge, %,d in place",
                evicted(EvictionReason.values()),
                evicted(EvictionReason.MAX_WAIT_BUSY),
                injector.surges(),
                injector.inPlace()));
    }

    private long evicted(EvictionReason... reasons) {
        return pool.stats().models().values().stream()
                .flatMap(model ->
                        Arrays.stream(reasons).map(why -> model.evictions().getOrDefault(why, 0L)))
                .mapToLong(Long::longValue)
                .sum();
    }

    @Override
    public void close() throws IOException {
        ours.shutdownNow();
        pool.close();
        supervisor.close();
        for (String model : PoolModels.NAMES) {
            Files.deleteIfExists(directory.resolve(model));
        }
        Files.delete(directory);
    }
}
