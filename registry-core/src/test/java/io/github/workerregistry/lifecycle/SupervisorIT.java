package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.IGNORES_SIGTERM;
import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static io.github.workerregistry.lifecycle.RealHive.kill9;
import static io.github.workerregistry.lifecycle.RealHive.restarts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.RawServer;
import io.github.workerregistry.process.SpawnException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The supervisor with real processes, a real scheduler and real time. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class SupervisorIT {

    private static final String OK = RawServer.status(200);

    @RegisterExtension
    final RealHive hive = new RealHive();

    @Test
    void aKilledWorkerIsRemovedWithItsSignalAndLastOutput() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 9");
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());
        WorkerInfo worker = hive.spawn(supervisor, "echo loading; echo loaded; echo x > $FLAG; exec sleep 1000");
        hive.awaitFlag(worker);

        kill9(worker);

        hive.awaitRemoved(worker);
        assertThat(supervisor.recentExits()).singleElement().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.CRASHED);
            assertThat(exit.status()).isEqualTo(ExitStatus.unrequested(137));
            assertThat(exit.status().signal()).hasValue(9);
            assertThat(exit.output()).containsExactly("loading", "loaded");
        });
    }

    /** The JDK notifies exits in the common pool, which a hive may have filled. */
    @Test
    void anExitIsDetectedIfTheCommonPoolIsFull() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 9");
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());
        WorkerInfo worker = hive.spawn(supervisor, SLEEP);
        try (FullCommonPool pool = new FullCommonPool()) {
            kill9(worker);

            hive.awaitRemoved(worker);
            pool.assertStillFull();
        }
    }

    @Test
    void aKilledWorkerIsRestartedWithItsIdAndANewPid() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 9");
        WorkerSupervisor supervisor = hive.supervise(restarts(Duration.ofMillis(200), 5));
        WorkerInfo worker = hive.spawn(supervisor, SLEEP);

        kill9(worker);

        WorkerInfo again = hive.awaitRestart(worker, 1);
        assertThat(again.pid()).isNotEqualTo(worker.pid());
        assertThat(again.url()).isEqualTo(worker.url());
        assertThat(isRunning(again)).isTrue();
    }

    @Test
    void childrenOfAStoppedWorkerAreTerminated() {
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());
        WorkerInfo worker = hive.spawn(supervisor, "sleep 1000 & echo $! > $FLAG; wait");
        ProcessHandle child = hive.awaitPid(worker);

        supervisor
                .stop(worker.id())
                .toCompletableFuture()
                .orTimeout(20, TimeUnit.SECONDS)
                .join();

        assertThat(isRunning(child.pid())).isFalse();
    }

    @Test
    void childrenOfACrashedWorkerAreTerminated() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 9");
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());
        WorkerInfo worker = hive.spawn(supervisor, "sleep 1000 & echo $! > $FLAG; wait");
        ProcessHandle child = hive.awaitPid(worker);

        kill9(worker);

        hive.awaitRemoved(worker);
        eventually().until(() -> !isRunning(child.pid()));
    }

    @Test
    void aWorkerThatTrapsSigtermExitsWithItsOwnCode() {
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());
        WorkerInfo worker =
                hive.spawn(supervisor, "trap 'echo bye; exit 7' TERM; echo x > $FLAG; while :; do sleep 0.05; done");
        hive.awaitFlag(worker);

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
        WorkerSupervisor supervisor = hive.supervise(RealHive.config().stopGrace(Duration.ofMillis(300)));
        WorkerInfo worker = hive.spawn(supervisor, IGNORES_SIGTERM);
        hive.awaitFlag(worker);

        assertThat(supervisor.stop(worker.id()).toCompletableFuture())
                .succeedsWithin(PATIENCE)
                .isEqualTo(ExitStatus.requested(137));
    }

    @Test
    void aSuspendedWorkerCanBeKilled() {
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());
        WorkerInfo worker = hive.spawn(supervisor, SLEEP);
        RealHive.signal("STOP", List.of(worker));

        assertThat(supervisor.forceKill(worker.id()).toCompletableFuture())
                .succeedsWithin(PATIENCE)
                .isEqualTo(ExitStatus.requested(137));
    }

    @Test
    void aWorkerWhoseHealthEndpointHangsIsStoppedAndOthersAreProbedOnTime() {
        UnexpectedWarnings.expect(Warnings.THREE_CHECKS_FAILED);
        WorkerSupervisor supervisor = hive.supervise(RealHive.config().healthInterval(Duration.ofMillis(200)));
        try (RawServer silent = RawServer.silent();
                RawServer sound = RawServer.saying(OK)) {
            WorkerInfo hung = hive.spawn(supervisor, SLEEP, silent.url());
            WorkerInfo healthy = hive.spawn(supervisor, SLEEP, sound.url());
            supervisor.reportReady(hung.id());
            supervisor.reportReady(healthy.id());

            hive.awaitRemoved(hung);

            assertThat(isRunning(hung)).isFalse();
            assertThat(hive.registry.get(healthy.id()).orElseThrow().state()).isEqualTo(new Idle());
            assertThat(sound.requests()).hasSizeGreaterThanOrEqualTo(2);
        }
    }

    @Test
    void aShutdownKillsAWorkerThatIgnoresSigtermAndLeavesNoProcess() {
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());
        List<WorkerInfo> workers = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            workers.add(hive.spawn(supervisor, SLEEP));
        }
        WorkerInfo ignoresTerm = hive.spawn(supervisor, IGNORES_SIGTERM);
        workers.add(ignoresTerm);
        hive.awaitFlag(ignoresTerm);

        assertThat(supervisor.shutdown(Duration.ofSeconds(1)).toCompletableFuture())
                .succeedsWithin(PATIENCE)
                .satisfies(report -> {
                    assertThat(report.workers()).isEqualTo(8);
                    assertThat(report.exited()).isEqualTo(7);
                    assertThat(report.killed()).isEqualTo(1);
                    assertThat(report.unkillable()).isZero();
                });

        assertThat(hive.registry.list()).isEmpty();
        assertThat(workers).noneMatch(RealHive::isRunning);
    }

    @Test
    void aMissingProgramIsASpawnFailureAndLeavesNothing() {
        WorkerSupervisor supervisor = hive.supervise(RealHive.config());

        assertThatThrownBy(() -> supervisor.spawn(WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("/no/such/program", "--flag")
                        .url("http://fake")
                        .build()))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("/no/such/program");

        assertThat(hive.registry.list()).isEmpty();
    }
}
