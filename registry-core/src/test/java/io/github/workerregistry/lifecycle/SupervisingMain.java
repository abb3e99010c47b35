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
 * five workers. It speaks for the one that loads, beats for the one that beats, and keeps the busy one busy. Argument:
 * the url at which the workers answer. Prints a line with the pid of each worker, {@code ready}, and then its events.
 */
final class SupervisingMain {

    /** No limit is longer. */
    static final Duration LONGEST_LIMIT = Duration.ofSeconds(2);

    private static final LifecycleConfig CONFIG = LifecycleConfig.builder()
            .healthInterval(Duration.ofMillis(200))
            .failureThreshold(5)
            .loadStall(LONGEST_LIMIT)
            .heartbeatInterval(Duration.ofMillis(250))
            .heartbeatMisses(5)
            .busyLimit(LONGEST_LIMIT)
            .suspectLimit(Duration.ofMillis(1)) // whoever should not be ended must not owe it to this
            .stopGrace(Duration.ofSeconds(1))
            .noIdleTimeout()
            .build();

    /** Printed each time that it gives signs of life: the hive's own clock, for tests. */
    static final String SIGNS_OF_LIFE = "signs of life";

    private static final PrintStream OUT = new PrintStream(System.out, true, UTF_8);

    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
            .health(HttpHealthProbe.at("/v1/health"))
            .restart(RestartPolicy.never())
            .config(CONFIG)
            .shutdownHook(Duration.ofSeconds(5))
            .build();

    private SlotLease lease; // owned by the scheduler's thread

    private SupervisingMain() {}

    public static void main(String[] args) throws InterruptedException {
        new SupervisingMain().run(args[0]);
        boolean unused = new CountDownLatch(1).await(10, TimeUnit.MINUTES); // not for ever: the test may be gone
        System.exit(0);
    }

    private void run(String url) {
        registry.subscribe(SupervisingMain::print, Runnable::run);
        spawn("idle", url);
        spawn("beating", url);
        spawn("busy", url);
        spawn("doomed", url);
        spawn("loading", "http://127.0.0.1:9"); // nobody listens there, so it is never ready
        supervisor.ready("idle");
        supervisor.ready("beating");
        supervisor.ready("busy");
        supervisor.ready("doomed");
        // Four times slower than a sweep, so that after a suspension the loops mostly run first.
        scheduler.scheduleWithFixedDelay(this::giveSignsOfLife, 0, 400, TimeUnit.MILLISECONDS);
        OUT.println("ready");
    }

    private void giveSignsOfLife() {
        OUT.println(SIGNS_OF_LIFE);
        registry.heartbeat("beating");
        supervisor.progress("loading");
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
