package io.github.workerregistry.lifecycle;

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
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Restarts of real processes. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class RestartIT {

    private static final String KILLED = Warnings.CRASHED + ", signal 9";
    private static final Duration SOON = Duration.ofMillis(50);

    @RegisterExtension
    final RealHive hive = new RealHive();

    @Test
    void repeatedKillsAreACrashLoopWithTheLastOutput() {
        UnexpectedWarnings.expect(KILLED, Warnings.CRASH_LOOP + ", the last time because of CRASHED, signal 9");
        WorkerSupervisor supervisor = hive.supervise(restarts(SOON, 2));
        WorkerInfo worker = hive.spawn(supervisor, "echo I am $$; echo $$ >> $FLAG; " + SLEEP);

        for (int restart = 0; restart <= 2; restart++) {
            WorkerInfo running = hive.awaitRestart(worker, restart);
            hive.awaitFlag(worker, restart + 1);
            kill9(running);
        }
        hive.awaitRemoved(worker);

        List<String> pids = hive.awaitFlag(worker, 3);
        assertThat(supervisor.recentExits())
                .extracting(Exit::cause)
                .containsExactly(Exit.Cause.CRASHED, Exit.Cause.CRASHED, Exit.Cause.CRASH_LOOP);
        assertThat(supervisor.recentExits()).last().satisfies(exit -> {
            assertThat(exit.generation()).isEqualTo(worker.generation() + 2);
            assertThat(exit.status().signal()).hasValue(9);
            assertThat(exit.output()).containsExactly("I am " + pids.get(2));
        });
        assertThat(pids).doesNotHaveDuplicates().noneMatch(pid -> isRunning(Long.parseLong(pid)));
        assertThat(hive.heard.historyOf(worker.id())).endsWith("Restarted", "Crashed", "Removed");
    }

    @Test
    void aRestartKeepsIdPortAndUrlAndChangesPidAndGeneration() {
        UnexpectedWarnings.expect(KILLED);
        PortPool ports = FreePorts.range(1);
        WorkerSupervisor supervisor = hive.supervise(
                builder -> builder.restartPolicy(restarts(SOON, 5)).ports(ports));
        WorkerInfo before = hive.spawn(supervisor, "echo {port} >> $FLAG; " + SLEEP, "http://127.0.0.1:{port}");
        String port = hive.awaitFlag(before);

        kill9(before);
        WorkerInfo after = hive.awaitRestart(before, 1);

        assertThat(after.url()).isEqualTo(before.url()).isEqualTo("http://127.0.0.1:" + port);
        assertThat(hive.awaitFlag(after, 2)).containsExactly(port, port);
        assertThat(after.pid()).isNotEqualTo(before.pid());
        assertThat(after.generation()).isEqualTo(before.generation() + 1);
        assertThat(after.state()).isInstanceOf(Loading.class);
        assertThat(isRunning(after)).isTrue();
        assertThat(isRunning(before)).isFalse();
        assertThatThrownBy(ports::acquire).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void aLeaseOfTheOldProcessIsInvalidAndReleasesNoSlotOfTheNewOne() {
        UnexpectedWarnings.expect(KILLED);
        WorkerSupervisor supervisor = hive.supervise(restarts(SOON, 5));
        WorkerInfo worker = hive.spawnReady(supervisor, SLEEP);
        SlotLease old = hive.registry.tryAcquireFrom(worker.id()).orElseThrow();

        kill9(worker);
        hive.awaitRestart(worker, 1);
        assertThat(old.isValid()).isFalse();
        assertThat(supervisor.reportReady(worker.id())).isTrue();
        SlotLease fresh = hive.registry.tryAcquireFrom(worker.id()).orElseThrow();
        old.close();

        assertThat(fresh.isValid()).isTrue();
        assertThat(hive.worker(worker).slotsInUse()).isEqualTo(1);
    }

    /** Another worker, which is killed later and restarted after the same wait, shows that no restart follows. */
    @Test
    void aStopDuringTheBackoffCancelsTheRestart() {
        UnexpectedWarnings.expect(KILLED);
        WorkerSupervisor supervisor = hive.supervise(restarts(Duration.ofSeconds(1), 5));
        WorkerInfo stopped = hive.spawn(supervisor, "echo x >> $FLAG; " + SLEEP);
        WorkerInfo other = hive.spawn(supervisor, SLEEP);
        hive.awaitFlag(stopped);
        kill9(stopped);
        eventually().until(() -> hive.state(stopped) instanceof BackingOff);

        assertThat(supervisor.stop(stopped.id()).toCompletableFuture()).isCompleted();
        kill9(other);
        hive.awaitRestart(other, 1);

        assertThat(hive.isRemoved(stopped)).isTrue();
        assertThat(hive.awaitFlag(stopped, 1)).as("it was started once").hasSize(1);
        assertThat(hive.heard.historyOf(stopped.id())).endsWith("RestartScheduled", "Removed");
    }

    @Test
    void anOperatorsRestartsAreNotCounted() {
        UnexpectedWarnings.expect(KILLED);
        WorkerSupervisor supervisor = hive.supervise(restarts(SOON, 1));
        WorkerInfo worker = hive.spawn(supervisor, SLEEP);

        for (int restart = 1; restart <= 3; restart++) {
            WorkerInfo before = hive.worker(worker);
            assertThat(supervisor.restart(worker.id()).toCompletableFuture()).succeedsWithin(PATIENCE);
            assertThat(isRunning(before)).isFalse();
            assertThat(isRunning(hive.awaitRestart(worker, restart))).isTrue();
        }
        assertThat(supervisor.recentExits())
                .hasSize(3)
                .allSatisfy(exit -> assertThat(exit.cause()).isEqualTo(Exit.Cause.RESTART));
        kill9(hive.worker(worker));

        assertThat(isRunning(hive.awaitRestart(worker, 4)))
                .as("the counted restart was still available")
                .isTrue();
    }

    @Test
    void whenReadyFailsAtTheFirstExitAndNotAfterTheRestarts() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", exit code 3");
        WorkerSupervisor supervisor = hive.supervise(restarts(Duration.ofMinutes(1), 5));
        WorkerInfo worker = hive.spawn(
                supervisor,
                "echo no such file: tiny.gguf; echo x > $FLAG; while [ -e $FLAG ]; do sleep 0.02; done; exit 3");
        hive.awaitFlag(worker);
        var ready = supervisor.whenReady(worker.id()).toCompletableFuture();
        assertThat(ready).isNotDone();

        assertThat(hive.flag(worker.id()).toFile().delete()).isTrue();

        assertThat(ready)
                .failsWithin(PATIENCE)
                .withThrowableThat()
                .havingCause()
                .isInstanceOfSatisfying(WorkerEndedException.class, ended -> {
                    assertThat(ended.exit().status()).isEqualTo(ExitStatus.unrequested(3));
                    assertThat(ended.exit().output()).containsExactly("no such file: tiny.gguf");
                });
        eventually().until(() -> hive.state(worker) instanceof BackingOff);
    }
}
