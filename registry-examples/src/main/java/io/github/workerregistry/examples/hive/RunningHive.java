package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.JsonServer;
import io.github.workerregistry.examples.http.Listening;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.queen.HivePublisher;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.StopRequest;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessController;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A hive that runs in this JVM: the library's registry and supervisor, and the HTTP server over them. */
final class RunningHive implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RunningHive.class);

    /** How long the end may take beyond the grace that the workers have. */
    private static final Duration END_MARGIN = Duration.ofMillis(1500);

    private final int firstWorkers;
    private final Duration stopGrace;
    private final String baseUrl;
    private final ScheduledThreadPoolExecutor scheduler = scheduler();
    private final WorkerRegistry registry;
    private final Optional<HivePublisher> queen;
    private final WorkerSupervisor supervisor;
    private final WorkerLauncher launcher;
    private final JsonServer server;
    private boolean closed;

    /**
     * A hive that has its port and has ended its orphans, but does not answer yet.
     *
     * @throws IOException if the port or the name of the node cannot be had, or {@code --log-dir} cannot be made; the
     *     message says which and why
     * @throws picocli.CommandLine.ParameterException if an option is wrong
     */
    RunningHive(HiveOptions options) throws IOException {
        firstWorkers = options.workers();
        LifecycleConfig lifecycle = options.lifecycle();
        stopGrace = lifecycle.stopGrace();
        HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .proxy(HttpClient.Builder.NO_PROXY)
                .connectTimeout(Duration.ofSeconds(5))
                .build();
        registry = WorkerRegistry.create();
        WorkerSupervisor.Builder life = WorkerSupervisor.builder(registry, scheduler)
                .processes(processes(options))
                .health(HttpHealthProbe.at(options.healthPath(), client))
                .stopRequest(StopRequest.post(options.shutdownPath(), client))
                .config(lifecycle)
                .restart(options.restart())
                .ports(options.ports());
        // Before any worker: a hive that cannot listen leaves nothing behind, and workers are told the real port.
        Listening listening = Listening.on(options.host(), options.port());
        baseUrl = listening.url();
        // Before any worker too, and before the orphans are ended: whose name is taken has none.
        queen = join(options.queen(), listening);
        supervisor = life.build();
        launcher = new WorkerLauncher(
                supervisor, options.template(), baseUrl + "/v1/workers", lifecycle.heartbeatInterval());
        server = HiveServer.on(
                listening,
                new WorkerApi(registry, supervisor, launcher),
                new ExecuteProxy(registry, new Forwarding(client, scheduler)));
    }

    /** Where it is reached, for example {@code http://127.0.0.1:8081}. */
    String baseUrl() {
        return baseUrl;
    }

    /** What an earlier run of this hive left running: what was ended, and what could not be. */
    OrphanReport orphans() {
        return supervisor.orphansAtStart();
    }

    /**
     * Begins to answer, and starts the first workers.
     *
     * @throws Refusal if a worker cannot be started, or this hive is being closed
     */
    void start() {
        synchronized (this) {
            if (closed) {
                return;
            }
            server.start();
            queen.ifPresent(publisher -> publisher.publish(registry));
        }
        for (int i = 0; i < firstWorkers; i++) {
            launcher.spawn(new SpawnRequest(Welcome.FIRST_MODEL, "cpu", 0, 1, Optional.empty()));
        }
    }

    /**
     * Ends everything: no new connections; then the workers side by side, those at work after a part of the grace; then
     * the rest. Returns within the grace and two seconds. Idempotent.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        queen.ifPresent(HivePublisher::close); // first, so that she sends nothing more
        server.stopListening();
        try {
            supervisor
                    .shutdown(stopGrace)
                    .toCompletableFuture()
                    .get(stopGrace.plus(END_MARGIN).toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            log.warn("a worker is still there after SIGKILL; the hive ends without it");
        } catch (ExecutionException e) {
            log.warn("the workers did not end in good order", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        supervisor.close();
        server.stop();
        endScheduler();
    }

    /** Runs what is due, such as the removal of a worker's files, and ends. */
    private void endScheduler() {
        scheduler.shutdown();
        try {
            if (!scheduler.awaitTermination(200, TimeUnit.MILLISECONDS)) {
                scheduler.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Optional<HivePublisher> join(QueenMembership queen, Listening listening) throws IOException {
        boolean joined = false;
        try {
            Optional<HivePublisher> publisher = queen.join(listening);
            joined = true;
            return publisher;
        } finally {
            if (!joined) {
                listening.socket().close();
            }
        }
    }

    private static ScheduledThreadPoolExecutor scheduler() {
        AtomicInteger threads = new AtomicInteger();
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(2, task -> {
            Thread thread = new Thread(task, "hive-" + threads.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        scheduler.setRemoveOnCancelPolicy(true);
        return scheduler;
    }

    private static ProcessController processes(HiveOptions options) throws IOException {
        LocalProcessController.Builder processes =
                LocalProcessController.builder().hiveId(options.hiveId());
        if (options.logDir().isPresent()) {
            Path directory = options.logDir().get();
            try {
                processes.outputDirectory(Files.createDirectories(directory, ownerOnly(directory)));
            } catch (IOException e) {
                throw new IOException("cannot make --log-dir " + directory + ": " + e, e);
            }
        }
        return processes.build();
    }

    /** What workers print may be a prompt, or a token. */
    private static FileAttribute<?>[] ownerOnly(Path directory) {
        return directory.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
                }
                : new FileAttribute<?>[0];
    }
}
