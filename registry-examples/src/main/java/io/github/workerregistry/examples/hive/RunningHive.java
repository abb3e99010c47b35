package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.config.ConfigException;
import io.github.workerregistry.examples.http.EventLoops;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.Guard;
import io.github.workerregistry.examples.http.JsonServer;
import io.github.workerregistry.examples.http.Listening;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.StopRequest;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.PoolConfig;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessController;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A hive that runs in this JVM: registry, supervisor and HTTP server. */
final class RunningHive implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RunningHive.class);

    /** How long closing may take beyond the grace period of the workers. */
    private static final Duration END_MARGIN = Duration.ofMillis(1500);

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    private final int firstWorkers;
    private final Duration stopGrace;
    private final String baseUrl;
    private final ScheduledThreadPoolExecutor scheduler = scheduler();
    private final Vertx vertx;
    private final Listening listening;
    private final WorkerRegistry registry;
    private final Membership.Place place;
    private final WorkerSupervisor supervisor;
    private final WorkerLauncher launcher;
    private final Optional<WorkerPool> pool;
    private final Optional<ConfigReload> reload;
    private final boolean watched;
    private final HiveView view;
    private final JsonServer server;
    private boolean closed;

    /** A hive without a queen. */
    RunningHive(HiveOptions options) throws IOException {
        this(options, Membership.none());
    }

    /**
     * A hive that has bound its port and reaped its orphans, but does not answer yet.
     *
     * @throws IOException if the port is in use, the node name is taken, or {@code --log-dir} cannot be created; the
     *     message says which and why
     * @throws picocli.CommandLine.ParameterException if an option is invalid
     */
    RunningHive(HiveOptions options, Membership membership) throws IOException {
        firstWorkers = options.workers();
        LifecycleConfig lifecycle = options.lifecycle();
        stopGrace = lifecycle.stopGrace();
        ProcessController processes = processes(options);
        HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .proxy(HttpClient.Builder.NO_PROXY)
                .connectTimeout(CONNECT_TIMEOUT)
                .build();
        registry = WorkerRegistry.create();
        WorkerSupervisor.Builder life = WorkerSupervisor.builder(registry, scheduler)
                .processController(processes)
                .healthProbe(HttpHealthProbe.at(options.healthPath(), client))
                .stopRequest(StopRequest.post(options.shutdownPath(), client))
                .lifecycle(lifecycle)
                .restartPolicy(options.restart())
                .ports(options.ports());
        // Before any worker is started: a hive that cannot listen leaves nothing behind, and workers receive the real
        // port.
        vertx = EventLoops.start();
        Optional<ConfigFile> file;
        Optional<PoolConfig> config;
        boolean joined = false;
        try {
            listening = Listening.on(
                    vertx, options.host(), options.port(), options.limits().bounds());
            baseUrl = listening.address().url();
            // Also before any worker, and before orphans are reaped: a hive whose node name is taken must not reap.
            HiveConfig reader = reader(lifecycle, client, baseUrl + "/v1/workers");
            file = options.config().map(path -> new ConfigFile(reader, path));
            config = file.isPresent() ? Optional.of(read(file.get())) : demo(options, reader);
            place = membership.join(listening.address());
            joined = true;
        } finally {
            if (!joined) {
                EventLoops.close(vertx);
            }
        }
        supervisor = life.build();
        launcher = new WorkerLauncher(
                supervisor,
                options.template(),
                baseUrl + "/v1/workers",
                lifecycle.heartbeatInterval(),
                new ModelsDirectory(options.limits().modelsDir()));
        pool = config.map(models ->
                WorkerPool.builder(registry, supervisor).config(models).build());
        Forwarding forwarding = new Forwarding(
                EventLoops.client(vertx, CONNECT_TIMEOUT), options.limits().patience());
        List<String> names = new ArrayList<>(options.limits().allowedHosts());
        names.addAll(membership.hostNames());
        ModelsApi models = new ModelsApi(registry, pool);
        reload = file.map(edited -> new ConfigReload(edited, pool.orElseThrow()));
        watched = options.watch();
        view = new HiveView(registry, pool, supervisor, models, reload);
        server = HiveServer.on(
                listening,
                new Guard(names),
                new WorkerApi(registry, supervisor, launcher),
                models,
                new ModelRoute(
                        new Slots(registry, pool, view.metrics().acquireTimes()),
                        forwarding,
                        options.limits().queueTimeout()),
                view);
    }

    private static HiveConfig reader(LifecycleConfig lifecycle, HttpClient client, String workersUrl) {
        return new HiveConfig(new ModelConfig(
                lifecycle,
                workersUrl,
                path -> HttpHealthProbe.at(path, client),
                path -> StopRequest.post(path, client)));
    }

    private static PoolConfig read(ConfigFile file) throws IOException {
        try {
            return file.read();
        } catch (ConfigException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static Optional<PoolConfig> demo(HiveOptions options, HiveConfig reader) {
        return options.hasDemoModels() ? Optional.of(DemoConfig.read(reader)) : Optional.empty();
    }

    private void watch(ConfigReload reload) {
        ConfigWatch watch = new ConfigWatch(reload);
        AtomicBoolean looks = new AtomicBoolean();
        vertx.setPeriodic(ConfigWatch.LOOK_MILLIS, unused -> {
            if (looks.compareAndSet(false, true)) {
                vertx.<Void>executeBlocking(() -> {
                            watch.look();
                            return null;
                        })
                        .onComplete(looked -> looks.set(false));
            }
        });
    }

    /** Its url, for example {@code http://127.0.0.1:8081}. */
    String baseUrl() {
        return baseUrl;
    }

    HiveView view() {
        return view;
    }

    /** The orphans of an earlier run of this hive. */
    OrphanReport orphans() {
        return supervisor.orphansAtStart();
    }

    /**
     * Starts answering requests and starts the first workers.
     *
     * @throws Refusal if a worker cannot be started, or this hive is being closed
     */
    void start() {
        synchronized (this) {
            if (closed) {
                return;
            }
            server.start();
            place.publish(registry);
        }
        reload.filter(unused -> watched).ifPresent(this::watch);
        for (int i = 0; i < firstWorkers; i++) {
            launcher.spawn(new SpawnRequest(Welcome.FIRST_MODEL, "cpu", 0, 1, Optional.empty()));
        }
    }

    /**
     * Closes everything: first the listening socket; then the workers in parallel, busy ones after a part of the grace
     * period; then the rest. Returns within the grace period plus two seconds. Idempotent.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        view.close();
        place.close(); // first, so that the queen sends no more requests
        pool.ifPresent(WorkerPool::close);
        listening.close(stopGrace.plus(END_MARGIN).toMillis());
        try {
            supervisor
                    .shutdown(stopGrace)
                    .toCompletableFuture()
                    .get(stopGrace.plus(END_MARGIN).toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            log.warn("a worker still runs after SIGKILL; the hive exits without it");
        } catch (ExecutionException e) {
            log.warn("the workers were not stopped in order", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        supervisor.close();
        EventLoops.close(vertx);
        endScheduler();
    }

    /** Runs due tasks, such as the removal of a worker's files, and shuts down. */
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
                throw new IOException("cannot create --log-dir " + directory + ": " + e, e);
            }
        }
        return processes.build();
    }

    /** Worker output may contain prompts or tokens. */
    private static FileAttribute<?>[] ownerOnly(Path directory) {
        return directory.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
                }
                : new FileAttribute<?>[0];
    }
}
