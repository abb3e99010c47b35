package io.github.workerregistry.examples.faults;

import io.github.workerregistry.RegistryStats;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.ShutdownReport;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.LocalProcessController;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * One run: starts the hive, applies load and faults, waits until effects have settled, shuts it down, and checks for
 * leaks.
 */
final class HiveUnderFire {

    private static final Duration PROGRESS = Duration.ofSeconds(10);
    private static final Duration CREW_PERIOD = Duration.ofMillis(50);
    private static final Duration SHUTDOWN = Duration.ofSeconds(10);
    private static final int EVENT_QUEUE = 1 << 20;
    private static final int WAIT_MILLIS = 20;

    private final RunOptions options;
    private final Bounds bounds;
    private final String runId = UUID.randomUUID().toString();
    private final Remarks remarks = new Remarks();
    private final Report report = new Report();
    private final LeftOvers leftOvers = new LeftOvers(runId);
    private final WorkerRegistry registry =
            WorkerRegistry.builder().eventQueueCapacity(EVENT_QUEUE).build();
    private final LeaseBook leases = new LeaseBook(registry, System::nanoTime, remarks);
    private final HoldUps heldUp = new HoldUps();
    private final Ledger ledger;
    private final Judge judge;
    private final Random random;
    private final long seed;

    HiveUnderFire(RunOptions options, long seed) {
        this.options = options;
        this.seed = seed;
        this.random = new Random(~seed);
        bounds = options.bounds();
        ledger = new Ledger(bounds, System::nanoTime, heldUp::total, remarks);
        judge = new Judge(ledger, leases, bounds, System::nanoTime);
    }

    /** Runs for the configured duration, plus some seconds before and after. */
    Report run() throws IOException, InterruptedException {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(2);
        ExecutorService listening = Executors.newSingleThreadExecutor();
        try (SmallDisk disk = SmallDisk.create();
                HeartbeatSink heartbeats = HeartbeatSink.open(registry)) {
            registry.subscribe(judge, listening);
            registry.subscribe(leftOvers, listening);
            registry.subscribe(
                    event -> {
                        if (event instanceof WorkerEvent.Removed removed) {
                            disk.forget(removed.worker().id());
                        }
                    },
                    listening);
            WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                    .processController(LocalProcessController.builder()
                            .hiveId("fault-run")
                            .outputDirectory(disk.directory())
                            .outputLimit(64 << 10)
                            .build())
                    .healthProbe(HttpHealthProbe.at("/health"))
                    .lifecycle(bounds.config())
                    .restartPolicy(bounds.restart())
                    .ports(options.ports())
                    .shutdownHook(SHUTDOWN)
                    .build();
            List<String> beatingCommand = FaultWorker.beatingCommand(
                    heartbeats.port(), bounds.config().heartbeatInterval());
            Crew crew = new Crew(registry, supervisor, ledger, remarks, runId, beatingCommand, options.workers());
            try (PoolUnderFire pool = new PoolUnderFire(
                    runId, bounds, options.poolPorts(), ledger, leftOvers, remarks, scheduler, listening, seed)) {
                Injector injector = fire(supervisor, crew, disk, pool);
                pool.end(report);
                end(supervisor, scheduler, listening);
                faults(crew, disk, injector);
                pool.report(report);
            }
        } finally {
            scheduler.shutdownNow();
            listening.shutdownNow();
        }
        heldUp.close();
        left();
        remarks.lines().forEach(line -> report.note("  * " + line));
        return report;
    }

    private Injector fire(WorkerSupervisor supervisor, Crew crew, SmallDisk disk, PoolUnderFire pool)
            throws InterruptedException {
        ScheduledThreadPoolExecutor ours = new ScheduledThreadPoolExecutor(4);
        Injector injector =
                new Injector(registry, supervisor, ledger, leases, crew, disk, bounds, System::nanoTime, ours, seed);
        LeaseTraffic traffic = new LeaseTraffic(registry, ledger, leases, options.leaseThreads(), options.workers());
        try {
            ours.scheduleWithFixedDelay(guarded(crew), 0, CREW_PERIOD.toMillis(), TimeUnit.MILLISECONDS);
            traffic.begin(); // immediately, so that no worker reaches its idle timeout
            awaitMostReady();
            pool.begin(options.pace(), this::guarded);
            inject(injector, pool);
            pool.stopFaults();
            settle();
            await(bounds.of(FaultKind.MODEL_UPDATE), pool::isSettled);
            report.none("workers missing or too many", off(crew));
        } finally {
            ours.setExecuteExistingDelayedTasksAfterShutdownPolicy(true); // faults are undone
            ours.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
            ours.shutdown();
            traffic.close();
            ours.awaitTermination(1, TimeUnit.MINUTES);
        }
        report.none("slots off", new SlotCheck(registry, remarks).slotsOff());
        return injector;
    }

    private void awaitMostReady() throws InterruptedException {
        await(bounds.load(), () -> {
            RegistryStats stats = registry.stats();
            return (stats.idle() + stats.busy()) * 10 >= options.workers() * 9;
        });
        progress("the workers are started");
    }

    private void inject(Injector injector, PoolUnderFire pool) throws InterruptedException {
        long begin = System.nanoTime();
        long request = PROGRESS.toNanos();
        Runnable next = guarded(injector::injectNext);
        long passed = 0;
        long longest = options.duration().plus(bounds.load()).toNanos(); // a short run of a slow machine
        while (passed < options.duration().toNanos() || (!everyKindHasCome(injector, pool) && passed < longest)) {
            next.run();
            long pause = (long) (options.pace().toNanos() * (0.5 + random.nextDouble()));
            TimeUnit.NANOSECONDS.sleep(pause);
            passed = System.nanoTime() - begin;
            if (passed > request) {
                progress(Duration.ofNanos(passed).toSeconds() + " s");
                request += PROGRESS.toNanos();
            }
        }
        progress("no more faults; waiting for what has to follow");
    }

    private static boolean everyKindHasCome(Injector injector, PoolUnderFire pool) {
        return injector.everyKindHasCome() && pool.everyKindHasCome();
    }

    /** Waits until every open fault has had its effect or is overdue. */
    private void settle() throws InterruptedException {
        List<Fault> open = ledger.openFaults();
        Duration longest = bounds.load();
        for (FaultKind kind : FaultKind.values()) {
            longest = bounds.of(kind).compareTo(longest) > 0 ? bounds.of(kind) : longest;
        }
        await(longest, () -> Collections.disjoint(open, ledger.openFaults()));
    }

    /** The crew replaces exited workers with a short delay; a worker can reach its idle timeout at any time. */
    private long off(Crew crew) throws InterruptedException {
        await(bounds.load(), () -> crew.off() == 0);
        return crew.off();
    }

    private static void await(Duration longest, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() - deadline < 0) {
            Thread.sleep(WAIT_MILLIS);
        }
    }

    /** Failures of the run itself are reported. */
    private Runnable guarded(Runnable action) {
        return () -> {
            try {
                action.run();
            } catch (RuntimeException | Error e) {
                report.line(false, "the run itself failed: " + e);
                e.printStackTrace();
            }
        };
    }

    private void end(WorkerSupervisor supervisor, ScheduledThreadPoolExecutor scheduler, ExecutorService listening)
            throws InterruptedException {
        ledger.countOverdue();
        judge.shuttingDown();
        try {
            ShutdownReport ended =
                    supervisor.shutdown(SHUTDOWN).toCompletableFuture().get(1, TimeUnit.MINUTES);
            report.none("workers that could not be ended", ended.unkillable());
        } catch (ExecutionException | TimeoutException e) {
            report.line(false, "the shutdown did not come to its end: " + e + "; still there: " + registry.list());
        }
        supervisor.close();
        report.none("workers still registered", registry.list());
        report.none(
                "tasks left in the host's scheduler",
                leftOvers.tasks(scheduler.getQueue()).size());
        report.line(
                !scheduler.isShutdown(),
                "the host's scheduler " + (scheduler.isShutdown() ? "was shut down" : "runs on"));
        listening.shutdown();
        listening.awaitTermination(10, TimeUnit.SECONDS);
    }

    private void faults(Crew crew, SmallDisk disk, Injector injector) {
        report.faults(ledger, bounds, injector.count(), disk.whyNeverFull());
        report.none("workers killed without a reason", ledger.unexplained());
        report.none("spawns refused", crew.refused());
        long open = leases.taken() - leases.returned() - leases.voided();
        report.line(
                open == 0 && leases.returned() > 0 && leases.voided() >= injector.heldOverRestarts(),
                String.format(
                        Locale.ROOT,
                        "leases: %,d taken, %,d returned, %,d void, %,d open",
                        leases.taken(),
                        leases.returned(),
                        leases.voided(),
                        open));
        report.none("leases that should not have been", leases.wrong());
        RegistryStats stats = registry.stats();
        report.note(String.format(
                Locale.ROOT,
                "held up by the machine for %,d ms in all, which were added to the bounds they fell into",
                Duration.ofNanos(heldUp.total()).toMillis()));
        report.note(String.format(
                Locale.ROOT,
                "%,d workers spawned, %,d restarts, %,d health checks failed, %,d times suspected",
                crew.spawned(),
                stats.restarted(),
                stats.healthChecksFailed(),
                stats.suspected()));
    }

    private void left() throws InterruptedException {
        report.none("processes left over", leftOvers.processes());
        report.none("ports left over", leftOvers.ports());
        report.none("threads left over", leftOvers.threads());
    }

    private void progress(String when) {
        RegistryStats stats = registry.stats();
        int injected = 0;
        int missed = 0;
        for (FaultKind kind : FaultKind.values()) {
            Tally.Counts counts = ledger.counts(kind);
            injected += kind.isConsequence() ? 0 : counts.injected();
            missed += counts.missed();
        }
        System.out.printf(
                Locale.ROOT,
                "%s: %d workers (%d loading, %d idle, %d busy, %d backing off, %d stopping); "
                        + "%,d faults, %d missed, %d unexplained; %,d leases%n",
                when,
                stats.workers(),
                stats.loading(),
                stats.idle(),
                stats.busy(),
                stats.backingOff(),
                stats.stopping(),
                injected,
                missed,
                ledger.unexplained(),
                leases.taken());
    }
}
