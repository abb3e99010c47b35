package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.testing.RecordingListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A registry and supervisors with real processes, a real scheduler and real time; by default without restarts.
 * Everything is ended after the test.
 */
final class RealHive implements AfterEachCallback {

    /** Longer than any step takes on a busy machine. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    /** A worker that does nothing. */
    static final String SLEEP = "exec sleep 1000";

    /** A worker that ignores SIGTERM, once it has written its flag file. */
    static final String IGNORES_SIGTERM = "trap '' TERM; echo x > $FLAG; while :; do sleep 0.05; done";

    /** No process listens there. */
    private static final String NOWHERE = "http://127.0.0.1:9";

    final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    final WorkerRegistry registry;
    final RecordingListener heard = new RecordingListener();

    /** For files of a test; deleted with it. */
    final Path directory = temporaryDirectory();

    private final List<WorkerSupervisor> supervisors = new ArrayList<>();
    private final List<ProcessHandle> strays = new ArrayList<>();

    RealHive() {
        this(WorkerRegistry.create());
    }

    RealHive(WorkerRegistry registry) {
        UnexpectedWarnings.allow("is not ready after"); // real time: a busy machine may be slow
        this.registry = registry;
        registry.subscribe(heard, Runnable::run);
    }

    /** Without an idle timeout; the health interval is longer than a test. */
    static LifecycleConfig.Builder config() {
        return LifecycleConfig.builder().noIdleTimeout();
    }

    /** Restarts after failures, each after {@code wait}, up to {@code limit} times. */
    static RestartPolicy restarts(Duration wait, int limit) {
        return RestartPolicy.builder()
                .initial(wait)
                .max(wait)
                .jitter(0)
                .limit(limit)
                .build();
    }

    WorkerSupervisor supervise(LifecycleConfig.Builder config) {
        return supervise(builder -> builder.lifecycle(config.build()));
    }

    WorkerSupervisor supervise(RestartPolicy restart) {
        return supervise(builder -> builder.restartPolicy(restart));
    }

    WorkerSupervisor supervise(UnaryOperator<WorkerSupervisor.Builder> settings) {
        WorkerSupervisor supervisor = settings.apply(WorkerSupervisor.builder(registry, scheduler)
                        .healthProbe(HttpHealthProbe.at("/v1/health"))
                        .restartPolicy(RestartPolicy.never())
                        .lifecycle(config().build()))
                .build();
        supervisors.add(supervisor);
        return supervisor;
    }

    WorkerInfo spawn(WorkerSupervisor supervisor, String script) {
        return spawn(supervisor, script, NOWHERE);
    }

    /**
     * Spawns a shell script that has the path of its flag file in {@code $FLAG}. It does not listen: the test answers
     * at a url without a {@code {port}}.
     */
    WorkerInfo spawn(WorkerSupervisor supervisor, String script, String url) {
        String id = "w" + registry.stats().registered();
        WorkerSpec.Builder spec = WorkerSpec.builder()
                .id(id)
                .modelRef("tiny")
                .command("sh", "-c", script)
                .environment("FLAG", flag(id).toString())
                .slots(2)
                .url(url);
        return supervisor.spawn((url.contains("{port}") ? spec : spec.listenerOutsideTree()).build());
    }

    WorkerInfo spawnReady(WorkerSupervisor supervisor, String script, String url) {
        WorkerInfo worker = spawn(supervisor, script, url);
        assertThat(supervisor.reportReady(worker.id())).isTrue();
        return worker(worker);
    }

    WorkerInfo spawnReady(WorkerSupervisor supervisor, String script) {
        return spawnReady(supervisor, script, NOWHERE);
    }

    /** The worker as it is now. */
    WorkerInfo worker(WorkerInfo worker) {
        return registry.get(worker.id()).orElseThrow();
    }

    WorkerState state(WorkerInfo worker) {
        return worker(worker).state();
    }

    boolean isRemoved(WorkerInfo worker) {
        return registry.get(worker.id()).isEmpty();
    }

    Path flag(String id) {
        return directory.resolve(id);
    }

    /** Waits until the worker's script has written that many lines into its flag file, and gives them. */
    List<String> awaitFlag(WorkerInfo worker, int lines) {
        Path flag = flag(worker.id());
        return eventually()
                .alias(lines + " lines in " + flag)
                .until(() -> wholeLinesOf(flag), written -> written.size() == lines);
    }

    String awaitFlag(WorkerInfo worker) {
        return awaitFlag(worker, 1).get(0);
    }

    static List<String> wholeLinesOf(Path file) {
        try {
            String text = Files.exists(file) ? Files.readString(file) : "";
            return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The process whose pid the worker's script has written into its flag file. */
    ProcessHandle awaitPid(WorkerInfo worker) {
        ProcessHandle child =
                ProcessHandle.of(Long.parseLong(awaitFlag(worker))).orElseThrow();
        strays.add(child);
        return child;
    }

    void awaitRemoved(WorkerInfo worker) {
        eventually().until(() -> isRemoved(worker));
    }

    /** Waits for the worker's process after so many restarts. */
    WorkerInfo awaitRestart(WorkerInfo worker, int restarts) {
        eventually()
                .until(() -> registry.get(worker.id())
                        .filter(now -> now.restarts() == restarts && now.pid().isPresent())
                        .isPresent());
        return worker(worker);
    }

    static ConditionFactory eventually() {
        return await().atMost(PATIENCE).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(20));
    }

    /** Kills the worker's process, as from outside the hive. */
    static void kill9(WorkerInfo worker) {
        assertThat(ProcessHandle.of(worker.pid().orElseThrow()).orElseThrow().destroyForcibly())
                .isTrue();
    }

    /** Sends a signal to the processes of workers, all at once, as from outside the hive. */
    static void signal(String name, List<WorkerInfo> workers) {
        List<String> command = new ArrayList<>(List.of("kill", "-" + name));
        workers.forEach(worker -> command.add(Long.toString(worker.pid().orElseThrow())));
        try {
            assertThat(new ProcessBuilder(command).start().waitFor()).isZero();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    static boolean isRunning(WorkerInfo worker) {
        return isRunning(worker.pid().orElseThrow());
    }

    /** False if there is no process, or a zombie that is not reaped yet. */
    static boolean isRunning(long pid) {
        return stateOf(pid) != 'Z';
    }

    /** The state as the kernel reports it; Z if there is no process. */
    static char stateOf(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2);
        } catch (IOException noProcess) {
            return 'Z';
        }
    }

    private static Path temporaryDirectory() {
        try {
            return Files.createTempDirectory("real-hive");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void deleteDirectory() {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file); // or its release deletes it at the same time
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void afterEach(ExtensionContext context) throws InterruptedException {
        try {
            supervisors.forEach(RealHive::end);
        } finally {
            strays.forEach(ProcessHandle::destroyForcibly);
            scheduler.shutdown();
        }
        assertThat(scheduler.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        deleteDirectory();
    }

    private static void end(WorkerSupervisor supervisor) {
        try (supervisor) {
            supervisor
                    .shutdown(Duration.ofMillis(1))
                    .toCompletableFuture()
                    .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    .join();
        }
    }
}
