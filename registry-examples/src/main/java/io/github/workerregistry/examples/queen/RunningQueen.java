package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.TemporaryDirectory;
import io.github.workerregistry.examples.http.Bounds;
import io.github.workerregistry.examples.http.EventLoops;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.Guard;
import io.github.workerregistry.examples.http.JsonServer;
import io.github.workerregistry.examples.http.Listening;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A queen that runs in this JVM: the mirror of ZooKeeper, the routing and the HTTP server. */
final class RunningQueen implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RunningQueen.class);

    /** A hive in the same data centre connects fast, or not at all; then the next one is tried. */
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration PURGE = Duration.ofMinutes(1);
    private static final long FIRST_LOOK_MILLIS = 5_000;

    /** What must be closed, in reverse order. */
    private final Deque<Runnable> ends = new ArrayDeque<>();

    private final String baseUrl;
    private final String zookeeper;
    private final HiveMirror mirror;
    private final JsonServer server;

    /**
     * A queen that has bound its port and is connecting, but does not answer yet.
     *
     * @throws IOException if a port is in use; the message says which and why
     * @throws picocli.CommandLine.ParameterException if an option is invalid
     */
    RunningQueen(QueenOptions options) throws IOException {
        boolean built = false;
        try {
            Duration sessionTimeout = options.sessionTimeout();
            Vertx vertx = EventLoops.start();
            ends.push(() -> EventLoops.close(vertx));
            Listening listening = Listening.on(vertx, options.host(), options.port(), Bounds.DEFAULT);
            baseUrl = listening.address().url();
            ScheduledThreadPoolExecutor scheduler = scheduler();
            ends.push(scheduler::shutdownNow);
            zookeeper = options.zookeeper().isPresent()
                    ? options.zookeeper().get()
                    : embedded(options.zookeeperPort(), scheduler).servers();

            Fleet fleet = new Fleet(System::nanoTime);
            Contact contact = new Contact(System::nanoTime);
            Router router = new Router(fleet, contact);
            mirror = new HiveMirror(fleet, contact);
            CuratorFramework client = ZooKeeperClients.reader(zookeeper, sessionTimeout);
            ends.push(() -> ZooKeeperClients.close(client));
            mirror.start(client);
            ends.push(mirror::close);
            HttpClient http = EventLoops.client(vertx, CONNECT_TIMEOUT);
            UnansweredRequests unanswered =
                    new UnansweredRequests(fleet, http, UnansweredRequests.PATIENCE, System::nanoTime);
            Forwarding forwarding = new Forwarding(http, Forwarding.Patience.DEFAULT);
            server = QueenServer.on(
                    listening,
                    new Guard(options.allowedHosts()),
                    new QueenApi(fleet, router, contact),
                    new ExecuteRelay(fleet, router, contact, forwarding, unanswered));
            every(SECOND, scheduler, fleet::dropUnconfirmed);
            every(SECOND, scheduler, unanswered::endThoseOfLostHives);
            built = true;
        } finally {
            if (!built) {
                close();
            }
        }
    }

    private EmbeddedZooKeeper embedded(int port, ScheduledThreadPoolExecutor scheduler) throws IOException {
        TemporaryDirectory directory = TemporaryDirectory.create("worker-registry-queen-");
        ends.push(directory::close);
        EmbeddedZooKeeper server = new EmbeddedZooKeeper(directory.path(), port);
        ends.push(server::close);
        every(PURGE, scheduler, server::purge);
        return server;
    }

    /** A failure does not cancel later runs. */
    private static void every(Duration period, ScheduledThreadPoolExecutor scheduler, Runnable work) {
        Runnable guarded = () -> {
            try {
                work.run();
            } catch (RuntimeException e) {
                log.warn("a task that runs every {} failed; it will run again", period, e);
            }
        };
        scheduler.scheduleWithFixedDelay(guarded, period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Where it is reached, for example {@code http://127.0.0.1:8080}. */
    String baseUrl() {
        return baseUrl;
    }

    /** The ZooKeeper servers for hives. */
    String zookeeper() {
        return zookeeper;
    }

    /** Starts answering requests once all existing hives are known, at the latest after 5 s. */
    void start() throws InterruptedException {
        if (!mirror.awaitComplete(FIRST_LOOK_MILLIS)) {
            log.warn(
                    "ZooKeeper at {} does not answer; the queen starts without it and knows no hives until it does",
                    zookeeper);
        }
        synchronized (this) {
            if (!ends.isEmpty()) { // otherwise it was closed meanwhile
                server.start();
            }
        }
    }

    /** Closes the queen; the hives keep running. Idempotent. */
    @Override
    public synchronized void close() {
        while (!ends.isEmpty()) {
            ends.pop().run();
        }
    }

    private static ScheduledThreadPoolExecutor scheduler() {
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "queen");
            thread.setDaemon(true);
            return thread;
        });
        scheduler.setRemoveOnCancelPolicy(true);
        return scheduler;
    }
}
