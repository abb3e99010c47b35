package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.IGNORES_SIGTERM;
import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.process.ChildJvm;
import io.github.workerregistry.process.LocalProcessController;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real processes after a shutdown of their hive. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ShutdownIT {

    @RegisterExtension
    final RealHive hive = new RealHive();

    @RegisterExtension
    final ChildHive child;

    ShutdownIT(@TempDir Path directory) {
        child = new ChildHive(directory);
    }

    @Test
    void aShutdownWithoutASchedulerLeavesNoProcess() {
        List<WorkerInfo> workers = shutDownWithoutScheduler();

        assertThat(workers).noneMatch(RealHive::isRunning);
    }

    /** Then there are neither notifications of exits nor ticks on the scheduler. */
    @Test
    void aShutdownWithoutASchedulerAndCommonPoolLeavesNoProcess() {
        try (FullCommonPool pool = new FullCommonPool()) {
            List<WorkerInfo> workers = shutDownWithoutScheduler();

            assertThat(workers).noneMatch(RealHive::isRunning);
            pool.assertStillFull();
        }
    }

    /** Two that exit on SIGTERM and one that ignores it. */
    private List<WorkerInfo> shutDownWithoutScheduler() {
        WorkerSupervisor supervisor = hive.supervise(RestartPolicy.never());
        WorkerInfo ignoresTerm = hive.spawn(supervisor, IGNORES_SIGTERM);
        WorkerInfo loading = hive.spawn(supervisor, SLEEP);
        WorkerInfo idle = hive.spawnReady(supervisor, SLEEP);
        hive.awaitFlag(ignoresTerm);
        hive.scheduler.shutdownNow();

        assertThat(supervisor.shutdown(Duration.ofSeconds(1)).toCompletableFuture())
                .succeedsWithin(PATIENCE)
                .satisfies(report -> {
                    assertThat(report.workers()).isEqualTo(3);
                    assertThat(report.exited()).isEqualTo(2);
                    assertThat(report.killed()).isEqualTo(1);
                    assertThat(report.unkillable()).isZero();
                });
        assertThat(hive.registry.list()).isEmpty();
        return List.of(ignoresTerm, loading, idle);
    }

    @Test
    void sigtermToAJvmWithTheShutdownHookLeavesNoWorker() {
        ProcessHandle jvm = child.start("http://127.0.0.1:9");
        assertThat(child.pids()).hasSize(5).allMatch(RealHive::isRunning);

        child.signal("TERM");

        eventually().until(() -> !isRunning(jvm.pid()));
        assertThat(child.pids()).noneMatch(RealHive::isRunning);
    }

    /**
     * As by a service manager that signals every process of a service. Regression: the workers were reported as
     * crashed.
     */
    @Test
    void workersSignalledWithTheirHiveHaveNotCrashed() {
        ProcessHandle jvm = child.start("http://127.0.0.1:9");

        child.signalWorkersAndHive("TERM");

        eventually().until(() -> !isRunning(jvm.pid()));
        assertThat(child.pids()).noneMatch(RealHive::isRunning);
        assertThat(child.printed())
                .contains("Removed idle", "Removed loading")
                .noneMatch(line -> line.startsWith("Crashed") || line.contains("CRASHED"));
    }

    /** Their exit is complete only when the last child has exited, which is not notified and has to be polled. */
    @Test
    void closeLeavesNoRecordOfWorkersWithManyChildren() {
        WorkerSupervisor supervisor = hive.supervise(RestartPolicy.never());
        for (int i = 0; i < 10; i++) {
            hive.spawn(supervisor, "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 600 & done; " + SLEEP);
        }

        supervisor.closeNow();

        eventually().until(() -> hive.registry.list().isEmpty());
    }

    /** The hook waits for the loops, whose only thread waits for the hook; or for loops that are closed. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "exit on the scheduler's thread",
                "exit after close",
                "exit after close, common pool full",
                "exit when a load has failed",
                "exit when a worker has stopped",
                "exit in a listener",
                "exit in a listener of StopStarted",
                "exit with a stop request that blocks",
                "exit in a listener, on the scheduler's thread",
                "exit with a process that came late"
            })
    void aJvmWithTheShutdownHookAlwaysExits(String way, @TempDir Path directory) throws Exception {
        String hiveId = "ShutdownIT " + ProcessHandle.current().pid() + " " + way;
        Process jvm = new ProcessBuilder(ChildJvm.command(ExitingMain.class, hiveId, way))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("out").toFile())
                .start();
        try {
            assertThat(jvm.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as("the JVM has exited; its output: " + Files.readString(directory.resolve("out")))
                    .isTrue();
        } finally {
            jvm.destroyForcibly().waitFor();
        }
        assertThat(Files.readString(directory.resolve("out")))
                .as("the shutdown was complete")
                .doesNotContain("the shutdown is not complete", "the shutdown failed");
        LocalProcessController again =
                LocalProcessController.builder().hiveId(hiveId).build();
        assertThat(again.reapOrphans().ended()).isEmpty();
    }
}
