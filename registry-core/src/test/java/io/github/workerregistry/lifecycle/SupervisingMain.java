package io.github.workerregistry.lifecycle;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HttpHealthProbe;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A hive in a JVM of its own, for tests that suspend or end it: a supervisor with short limits and a shutdown hook, and
 * five workers. The hive reports progress for the loading one, sends heartbeats for one, and keeps one busy. Argument:
 * the url at which the workers answer. Prints a line with the pid of each worker, {@code ready}, and then its events.
 */
final class SupervisingMain {

    /** No limit is longer. */
    static final Duration LONGEST_LIMIT = Duration.ofSeconds(2);

    private static final LifecycleConfig CONFIG = LifecycleConfig.builder()
            .healthInterval(Duration.ofMillis(200))
            .failureThreshold(5)
            .loadStallTimeout(LONGEST_LIMIT)
            .heartbeatInterval(Duration.ofMillis(250))
            .heartbeatMisses(5)
            .busyTimeout(LONGEST_LIMIT)
            .suspicionTimeout(Duration.ofMillis(1)) // must not be what keeps a worker alive
            .stopGrace(Duration.ofSeconds(1))
            .noIdleTimeout()
            .build();

    /** Printed with each report: the hive's own clock, for tests. */
    static final String SIGNS_OF_LIFE = "signs of life";

    private static final PrintStream OUT = new PrintStream(System.out, true, UTF_8);

    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
            .healthProbe(HttpHealthProbe.at("/v1/health"))
            .restartPolicy(RestartPolicy.never())
            .lifecycle(CONFIG)
            .shutdownHook(Duration.ofSeconds(5))
            .build();

    private SlotLease lease; // owned by the scheduler's thread

    private SupervisingMain() {}

    public static void main(String[] args) throws InterruptedException {
        new SupervisingMain().run(args[0]);
        boolean unused =
                new CountDownLatch(1).await(10, TimeUnit.MINUTES); // not without end: the test may have been killed
        System.exit(0);
    }

    private void run(String url) {
        registry.subscribe(SupervisingMain::print, Runnable::run);
        spawn("idle", url);
        spawn("beating", url);
        spawn("busy", url);
        spawn("doomed", url);
        spawn("loading", "http://127.0.0.1:9"); // nothing listens there, so it is never ready
        supervisor.reportReady("idle");
        supervisor.reportReady("beating");
        supervisor.reportReady("busy");
        supervisor.reportReady("doomed");
        // Four times slower than a tick, so that the loops mostly run first after a pause.
        scheduler.scheduleWithFixedDelay(this::giveSignsOfLife, 0, 400, TimeUnit.MILLISECONDS);
        OUT.println("ready");
    }

    private void giveSignsOfLife() {
        OUT.println(SIGNS_OF_LIFE);
        registry.heartbeat("beating");
        supervisor.reportProgress("loading");
        if (lease != null) {
            lease.close();
        }
        lease = registry.tryAcquireFrom("busy").orElseThrow();
    }

    private void spawn(String id, String url) {
        long pid = supervisor
                .spawn(WorkerSpec.builder()
                        .id(id)
                        .modelRef("tiny")
                        .command("sleep", "600")
                        .url(url)
                        .listenerOutsideTree() // the test answers there
                        .build())
                .pid()
                .orElseThrow();
        OUT.println("pid " + id + " " + pid);
    }

    private static void print(WorkerEvent event) {
        if (event instanceof WorkerEvent.OfWorker one) {
            OUT.println(event.getClass().getSimpleName() + " " + one.worker().id());
        }
    }
}
