package io.github.workerregistry.examples.bench;

import com.sun.management.OperatingSystemMXBean;
import io.github.workerregistry.WorkerEvent.Removed;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.ShutdownReport;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAccumulator;

/**
 * What exits cost a hive with many real workers, beside processes of others: one killed worker, half of all killed at
 * once, the rest stopped at once; then a shutdown. These workers exit as soon as they get a signal. At last, a shutdown
 * of workers that ignore SIGTERM, so that all of them are due at the deadline, and what the JDK alone needs to kill as
 * many processes.
 */
final class ExitCost {

    private static final int SINGLE_KILLS = 20;
    private static final int SHUTDOWN_WORKERS = 100;
    private static final Duration SHUTDOWN_DEADLINE = Duration.ofSeconds(3);

    /** The period of the hive's own task, whose delays are measured. */
    private static final Duration OWN_TASK = Duration.ofMillis(2);

    private static final WorkerSpec SPEC = spec("sleep", "3600");
    private static final List<String> STUBBORN = List.of("sh", "-c", "trap '' TERM; exec sleep 3600");
    private static final Duration UNTIL_TRAPPED = Duration.ofSeconds(2);

    private final int workers;
    private final int strangers;

    ExitCost(int workers, int strangers) {
        this.workers = workers;
        this.strangers = strangers;
    }

    /** Prints the figures of one case. Arguments: workers and unrelated processes. */
    public static void main(String[] args) throws Exception {
        new ExitCost(Integer.parseInt(args[0]), Integer.parseInt(args[1])).measure(new Figures());
    }

    void measure(Figures figures) throws IOException, InterruptedException {
        try (Strangers others = Strangers.start(strangers)) {
            try (Hive hive = new Hive(SPEC, workers)) {
                killOneByOne(hive, figures);
                killHalf(hive, figures);
                stopRest(hive, figures);
            }
            try (Hive hive = new Hive(SPEC, Math.min(workers, SHUTDOWN_WORKERS))) {
                shutDown(hive, "", figures);
            }
            try (Hive hive = new Hive(spec(STUBBORN.toArray(String[]::new)), workers)) {
                Thread.sleep(UNTIL_TRAPPED.toMillis());
                ShutdownReport report = shutDown(hive, "stubborn, ", figures);
                if (report.killed() != workers) {
                    throw new IllegalStateException("not all have ignored SIGTERM: " + report);
                }
            }
            killByTheJdk(figures);
        }
    }

    private void killOneByOne(Hive hive, Figures figures) throws InterruptedException {
        long[] delays = new long[SINGLE_KILLS];
        for (int i = 0; i < delays.length; i++) {
            long begun = System.nanoTime();
            kill(hive.next());
            hive.awaitExits(1);
            delays[i] = System.nanoTime() - begun;
            hive.spawn();
        }
        figures.putSpread(name("kill of one"), "ms", 1e6, delays);
    }

    private void killHalf(Hive hive, Figures figures) throws InterruptedException {
        List<WorkerInfo> victims = hive.next(workers / 2);
        long cpu = cpuNanos();
        long begun = System.nanoTime();
        victims.forEach(ExitCost::kill);
        hive.awaitExits(victims.size());
        put(figures, "kill of " + victims.size() + ", last event", System.nanoTime() - begun);
        put(figures, "kill of " + victims.size() + ", cpu", cpuNanos() - cpu);
    }

    private void stopRest(Hive hive, Figures figures) throws InterruptedException {
        List<WorkerInfo> rest = hive.next(hive.left());
        long cpu = cpuNanos();
        long begun = System.nanoTime();
        rest.forEach(worker -> hive.supervisor.stop(worker.id()));
        put(figures, "stop of " + rest.size() + ", calls", System.nanoTime() - begun);
        hive.awaitExits(rest.size());
        put(figures, "stop of " + rest.size() + ", last event", System.nanoTime() - begun);
        put(figures, "stop of " + rest.size() + ", cpu", cpuNanos() - cpu);
    }

    private ShutdownReport shutDown(Hive hive, String kind, Figures figures) {
        hive.delays.reset();
        long begun = System.nanoTime();
        CompletionStage<ShutdownReport> ended = hive.supervisor.shutdown(SHUTDOWN_DEADLINE);
        String what = "shutdown of " + hive.left() + (kind.isEmpty() ? ", " : " " + kind);
        put(figures, what + "call", System.nanoTime() - begun);
        ShutdownReport report = ended.toCompletableFuture().join();
        put(figures, what + "end", System.nanoTime() - begun);
        put(figures, what + "delay of the hive's own task", hive.delays.get());
        return report;
    }

    private void killByTheJdk(Figures figures) throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < workers; i++) {
            processes.add(new ProcessBuilder(STUBBORN).start());
        }
        Thread.sleep(UNTIL_TRAPPED.toMillis());
        ScheduledExecutorService scheduler = new ScheduledThreadPoolExecutor(1);
        LongAccumulator delays = delaysOf(scheduler);
        long begun = System.nanoTime();
        processes.forEach(Process::destroyForcibly);
        for (Process process : processes) {
            process.waitFor();
        }
        put(figures, "destroyForcibly of " + workers + ", last exit", System.nanoTime() - begun);
        put(figures, "destroyForcibly of " + workers + ", delay of a task beside it", delays.get());
        scheduler.shutdownNow();
    }

    /** The longest delay of a task that is due again and again. */
    private static LongAccumulator delaysOf(ScheduledExecutorService scheduler) {
        LongAccumulator delays = new LongAccumulator(Long::max, 0);
        long[] due = {System.nanoTime()};
        scheduler.scheduleWithFixedDelay(
                () -> {
                    delays.accumulate(System.nanoTime() - due[0]);
                    due[0] = System.nanoTime() + OWN_TASK.toNanos();
                },
                0,
                OWN_TASK.toNanos(),
                TimeUnit.NANOSECONDS);
        return delays;
    }

    private static WorkerSpec spec(String... command) {
        return WorkerSpec.builder()
                .modelRef("hf:TheBloke/TinyLlama")
                .command(command)
                .url("http://127.0.0.1:9")
                .build();
    }

    private static void kill(WorkerInfo worker) {
        ProcessHandle.of(worker.pid().orElseThrow()).ifPresent(ProcessHandle::destroyForcibly);
    }

    private void put(Figures figures, String what, long nanos) {
        figures.put(name(what) + " ms", nanos / 1e6);
    }

    private String name(String what) {
        return what + " (" + workers + " workers, " + strangers + " others),";
    }

    private static long cpuNanos() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    /** A registry with ready workers, and how late its scheduler runs a task of the hive. */
    private static final class Hive implements AutoCloseable {

        final WorkerSupervisor supervisor;
        final LongAccumulator delays;
        private final ScheduledExecutorService scheduler = new ScheduledThreadPoolExecutor(1);
        private final ExecutorService listening = Executors.newSingleThreadExecutor();
        private final Semaphore exits = new Semaphore(0);
        private final List<WorkerInfo> running = new ArrayList<>();
        private final WorkerSpec spec;
        private int used;

        Hive(WorkerSpec spec, int count) {
            this.spec = spec;
            WorkerRegistry registry = WorkerRegistry.create();
            registry.subscribe(
                    event -> {
                        if (event instanceof Removed) {
                            exits.release();
                        }
                    },
                    listening);
            supervisor = WorkerSupervisor.builder(registry, scheduler)
                    .restartPolicy(RestartPolicy.never())
                    .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
                    .build();
            for (int i = 0; i < count; i++) {
                spawn();
            }
            delays = delaysOf(scheduler);
        }

        void spawn() {
            WorkerInfo worker = supervisor.spawn(spec);
            supervisor.reportReady(worker.id());
            running.add(worker);
        }

        WorkerInfo next() {
            return running.get(used++);
        }

        List<WorkerInfo> next(int count) {
            used += count;
            return running.subList(used - count, used);
        }

        int left() {
            return running.size() - used;
        }

        void awaitExits(int count) throws InterruptedException {
            if (!exits.tryAcquire(count, 2, TimeUnit.MINUTES)) {
                throw new IllegalStateException("observed " + exits.availablePermits() + " of " + count + " exits");
            }
        }

        @Override
        public void close() {
            supervisor.close();
            scheduler.shutdown();
            listening.shutdown();
        }
    }
}
