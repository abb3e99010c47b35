package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.health.RawServer;
import io.github.workerregistry.process.SpawnException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The supervisor with real processes, a real scheduler and real time. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class SupervisorIT {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String OK = RawServer.status(200);

    @TempDir
    Path directory;

    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final List<WorkerSupervisor> supervisors = new ArrayList<>();
    private final List<ProcessHandle> strays = new ArrayList<>();

    @AfterEach
    void endWhatIsLeft() throws InterruptedException {
        for (WorkerSupervisor supervisor : supervisors) {
            supervisor.shutdown(Duration.ofMillis(1)).toCompletableFuture().join();
            supervisor.close();
        }
        strays.forEach(ProcessHandle::destroyForcibly);
        scheduler.shutdown();
        assertThat(scheduler.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aKilledWorkerIsGoneWithItsSignalAndItsLastOutput() {
        UnexpectedWarnings.expect("is gone: CRASHED, signal 9");
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        WorkerInfo worker = spawn(supervisor, "echo loading; echo loaded; echo x > $FLAG; exec sleep 1000");
        awaitFlag(worker);

        kill9(worker);

        awaitGone(worker);
        assertThat(supervisor.recentExits()).singleElement().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.CRASHED);
            assertThat(exit.status()).isEqualTo(ExitStatus.unrequested(137));
            assertThat(exit.status().signal()).hasValue(9);
            assertThat(exit.output()).containsExactly("loading", "loaded");
        });
    }

    /** The JDK gives the notice of an exit in the common pool; a host may have filled that. */
    @Test
    void anExitIsSeenThoughTheCommonPoolIsFull() {
        UnexpectedWarnings.expect("is gone: CRASHED, signal 9");
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        WorkerInfo worker = spawn(supervisor, "exec sleep 1000");
        CountDownLatch release = new CountDownLatch(1);
        List<ForkJoinTask<?>> blocked = new ArrayList<>();
        try {
            for (int i = 0; i < 64; i++) {
                blocked.add(ForkJoinPool.commonPool().submit(() -> release.await(60, TimeUnit.SECONDS)));
            }
            kill9(worker);

            awaitGone(worker);
            assertThat(blocked).as("the pool is still full").noneMatch(ForkJoinTask::isDone);
        } finally {
            release.countDown();
            blocked.forEach(ForkJoinTask::join);
        }
    }

    @Test
    void aKilledWorkerIsStartedAgainUnderItsIdWithANewPid() {
        UnexpectedWarnings.expect("is gone: CRASHED, signal 9");
        WorkerSupervisor supervisor = supervise(
                LifecycleConfig.builder(),
                RestartPolicy.builder().initial(Duration.ofMillis(200)).build());
        WorkerInfo worker = spawn(supervisor, "exec sleep 1000");

        kill9(worker);

        await().atMost(LONG)
                .until(() -> registry.get(worker.id())
                        .filter(now -> now.restarts() == 1 && now.pid().isPresent())
                        .isPresent());
        WorkerInfo again = registry.get(worker.id()).orElseThrow();
        assertThat(again.pid()).isNotEqualTo(worker.pid());
        assertThat(again.url()).isEqualTo(worker.url());
        assertThat(isRunning(again.pid().orElseThrow())).isTrue();
    }

    @Test
    void aWorkersChildrenEndWithIt() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        WorkerInfo worker = spawn(supervisor, "sleep 1000 & echo $! > $FLAG; wait");
        ProcessHandle child = awaitPid(worker);

        supervisor
                .stop(worker.id())
                .toCompletableFuture()
                .orTimeout(20, TimeUnit.SECONDS)
                .join();

        assertThat(isRunning(child.pid())).isFalse();
    }

    @Test
    void theChildrenOfAWorkerThatCrashedEndToo() {
        UnexpectedWarnings.expect("is gone: CRASHED, signal 9");
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        WorkerInfo worker = spawn(supervisor, "sleep 1000 & echo $! > $FLAG; wait");
        ProcessHandle child = awaitPid(worker);

        kill9(worker);

        awaitGone(worker);
        await().atMost(LONG).until(() -> !isRunning(child.pid()));
    }

    @Test
    void aWorkerThatTrapsSigtermEndsWithItsOwnExitCode() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        WorkerInfo worker =
                spawn(supervisor, "trap 'echo bye; exit 7' TERM; echo x > $FLAG; while :; do sleep 0.05; done");
        awaitFlag(worker);

        ExitStatus status = supervisor
                .stop(worker.id())
                .toCompletableFuture()
                .orTimeout(20, TimeUnit.SECONDS)
                .join();

        assertThat(status).isEqualTo(ExitStatus.requested(7));
        assertThat(supervisor.recentExits().get(0).output()).contains("bye");
    }

    @Test
    void aWorkerThatIgnoresSigtermIsKilledAtTheEndOfItsGrace() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().stopGrace(Duration.ofMillis(300)));
        WorkerInfo worker = spawn(supervisor, "trap '' TERM; echo x > $FLAG; while :; do sleep 0.05; done");
        awaitFlag(worker);

        assertThat(supervisor.stop(worker.id()).toCompletableFuture())
                .succeedsWithin(LONG)
                .isEqualTo(ExitStatus.requested(137));
    }

    @Test
    void aWorkerThatIsSuspendedCanBeKilled() throws Exception {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        WorkerInfo worker = spawn(supervisor, "exec sleep 1000");
        long pid = worker.pid().orElseThrow();
        assertThat(new ProcessBuilder("kill", "-STOP", Long.toString(pid))
                        .start()
                        .waitFor())
                .isZero();

        assertThat(supervisor.forceKill(worker.id()).toCompletableFuture())
                .succeedsWithin(LONG)
                .isEqualTo(ExitStatus.requested(137));
    }

    @Test
    void aWorkerWhoseHealthEndpointHangsIsGivenUpWhileTheOthersAreProbedOnTime() {
        UnexpectedWarnings.expect("is given up after 3 failed health checks");
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder().healthInterval(Duration.ofMillis(200)));
        try (RawServer silent = RawServer.silent();
                RawServer sound = RawServer.saying(OK)) {
            WorkerInfo hung = spawn(supervisor, "exec sleep 1000", silent.url());
            WorkerInfo well = spawn(supervisor, "exec sleep 1000", sound.url());
            supervisor.ready(hung.id());
            supervisor.ready(well.id());

            awaitGone(hung);

            assertThat(isRunning(hung.pid().orElseThrow())).isFalse();
            assertThat(registry.get(well.id()).orElseThrow().state()).isEqualTo(new Idle());
            assertThat(sound.requests()).hasSizeGreaterThanOrEqualTo(2);
        }
    }

    @Test
    void aShutdownOfEightWorkersOneOfThemDeafLeavesNothing() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());
        List<WorkerInfo> workers = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            workers.add(spawn(supervisor, "exec sleep 1000"));
        }
        WorkerInfo deaf = spawn(supervisor, "trap '' TERM; echo x > $FLAG; while :; do sleep 0.05; done");
        workers.add(deaf);
        awaitFlag(deaf);

        assertThat(supervisor.shutdown(Duration.ofSeconds(1)).toCompletableFuture())
                .succeedsWithin(LONG)
                .isEqualTo(new ShutdownReport(8, 0, 7, 1, 0));

        assertThat(registry.list()).isEmpty();
        assertThat(workers).noneMatch(worker -> isRunning(worker.pid().orElseThrow()));
    }

    @Test
    void aProgramThatDoesNotExistIsASpawnFailureAndLeavesNothing() {
        WorkerSupervisor supervisor = supervise(LifecycleConfig.builder());

        assertThatThrownBy(() -> supervisor.spawn(WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("/no/such/program", "--flag")
                        .url("http://fake")
                        .build()))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("/no/such/program");

        assertThat(registry.list()).isEmpty();
    }

    private WorkerSupervisor supervise(LifecycleConfig.Builder config) {
        return supervise(config, RestartPolicy.never());
    }

    private WorkerSupervisor supervise(LifecycleConfig.Builder config, RestartPolicy restart) {
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .health(HttpHealthProbe.at("/v1/health"))
                .restart(restart)
                .config(config.build())
                .build();
        supervisors.add(supervisor);
        return supervisor;
    }

    private WorkerInfo spawn(WorkerSupervisor supervisor, String script) {
        return spawn(supervisor, script, "http://127.0.0.1:9");
    }

    private WorkerInfo spawn(WorkerSupervisor supervisor, String script, String url) {
        String id = "w" + registry.stats().registered();
        return supervisor.spawn(WorkerSpec.builder()
                .id(id)
                .modelRef("tiny")
                .command("sh", "-c", script)
                .environment("FLAG", flag(id).toString())
                .url(url)
                .build());
    }

    private Path flag(String id) {
        return directory.resolve(id);
    }

    /** Waits until the worker's script has written its flag file, and gives what it wrote. */
    private String awaitFlag(WorkerInfo worker) {
        Path flag = flag(worker.id());
        await().atMost(LONG)
                .until(() -> Files.exists(flag) && Files.readString(flag).endsWith("\n"));
        try {
            return Files.readString(flag).trim();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private ProcessHandle awaitPid(WorkerInfo worker) {
        ProcessHandle child =
                ProcessHandle.of(Long.parseLong(awaitFlag(worker))).orElseThrow();
        strays.add(child);
        return child;
    }

    private void awaitGone(WorkerInfo worker) {
        await().atMost(LONG).until(() -> registry.get(worker.id()).isEmpty());
    }

    private static void kill9(WorkerInfo worker) {
        assertThat(ProcessHandle.of(worker.pid().orElseThrow()).orElseThrow().destroyForcibly())
                .isTrue();
    }

    /** Not there, or a zombie that its new parent has not reaped yet. */
    private static boolean isRunning(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException gone) {
            return false;
        }
    }
}
