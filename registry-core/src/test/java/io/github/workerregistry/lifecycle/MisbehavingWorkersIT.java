package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static io.github.workerregistry.lifecycle.RealHive.restarts;
import static io.github.workerregistry.lifecycle.RealHive.stateOf;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.RawServer;
import io.github.workerregistry.process.LocalProcessController;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Workers that leave children behind, are suspended, flood their output, or exit at once. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class MisbehavingWorkersIT {

    private static final String FAILED = Warnings.CRASHED + ", exit code 3";
    private static final Duration SOON = Duration.ofMillis(50);

    @RegisterExtension
    final RealHive hive = new RealHive();

    /** An exit is detected at the exit of the worker, not at the end of its output. */
    @Test
    void anExitIsDetectedWhileChildrenHoldTheOutputAndTheyAreTerminated() {
        UnexpectedWarnings.expect(FAILED);
        WorkerSupervisor supervisor = hive.supervise(RestartPolicy.never());
        List<WorkerInfo> workers = Stream.of(
                        "sleep 1000 & echo $! > $FLAG",
                        "setsid sleep 1000 & echo $! > $FLAG",
                        "(trap '' TERM HUP INT; exec sleep 1000) & echo $! > $FLAG",
                        "(sleep 1000 & echo $! > $FLAG)")
                .map(child -> hive.spawn(supervisor, child + "; echo last words; exit 3"))
                .toList();

        workers.forEach(hive::awaitRemoved);

        assertThat(supervisor.recentExits()).hasSize(workers.size()).allSatisfy(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.CRASHED);
            assertThat(exit.status()).isEqualTo(ExitStatus.unrequested(3));
            assertThat(exit.output()).containsExactly("last words");
        });
        assertThat(workers)
                .allSatisfy(worker -> assertThat(isRunning(Long.parseLong(hive.awaitFlag(worker))))
                        .isFalse());
    }

    @Test
    void aSuspendedWorkerCanBeStoppedAndAnotherResumes() {
        WorkerSupervisor supervisor = hive.supervise(RealHive.config().stopGrace(Duration.ofMillis(300)));
        WorkerInfo stopped = hive.spawnReady(supervisor, "sleep 1000 & echo $! > $FLAG; wait");
        WorkerInfo resumed = hive.spawnReady(supervisor, SLEEP);
        ProcessHandle child = hive.awaitPid(stopped);
        suspend(stopped, resumed);

        assertThat(supervisor.stop(stopped.id()).toCompletableFuture())
                .succeedsWithin(PATIENCE)
                .isEqualTo(ExitStatus.requested(143));
        RealHive.signal("CONT", List.of(resumed));

        assertThat(isRunning(child.pid())).isFalse();
        eventually().until(() -> stateOf(resumed.pid().orElseThrow()) == 'S');
        assertThat(hive.worker(resumed).pid()).isEqualTo(resumed.pid());
        assertThat(hive.state(resumed)).isEqualTo(new Idle());
    }

    @Test
    void aSuspendedWorkerThatFailsItsProbesIsRestarted() {
        UnexpectedWarnings.expect(Warnings.THREE_CHECKS_FAILED);
        WorkerSupervisor supervisor = hive.supervise(builder -> builder.restartPolicy(restarts(SOON, 5))
                .lifecycle(RealHive.config()
                        .healthInterval(Duration.ofMillis(100))
                        .stopGrace(Duration.ofMillis(300))
                        .build()));
        try (RawServer silent = RawServer.silent()) {
            WorkerInfo worker = hive.spawn(supervisor, SLEEP, silent.url());
            suspend(worker);

            assertThat(supervisor.reportReady(worker.id())).isTrue(); // from now on its health checks are evaluated
            hive.awaitRestart(worker, 1);

            assertThat(isRunning(worker)).isFalse();
            assertThat(supervisor.recentExits()).singleElement().satisfies(exit -> {
                assertThat(exit.cause()).isEqualTo(Exit.Cause.UNHEALTHY);
                assertThat(exit.status()).isEqualTo(ExitStatus.requested(143));
            });
        }
    }

    private static void suspend(WorkerInfo... workers) {
        RealHive.signal("STOP", List.of(workers));
        eventually()
                .until(() -> Stream.of(workers)
                        .allMatch(worker -> stateOf(worker.pid().orElseThrow()) == 'T'));
    }

    /**
     * 20 MB of lines, one line of 20 MB, and 20 MB of noise. The last line comes when the files have been truncated:
     * what is written in the moment of that is lost.
     */
    @Test
    void aFloodOfOutputIsBoundedAndItsLastLinesAreKept() {
        UnexpectedWarnings.expect(FAILED);
        long limit = 1 << 20;
        LocalProcessController processes = LocalProcessController.builder()
                .outputDirectory(hive.directory)
                .outputLimit(limit)
                .build();
        WorkerSupervisor supervisor =
                hive.supervise(builder -> builder.processController(processes).restartPolicy(RestartPolicy.never()));
        List<WorkerInfo> workers = Stream.of(
                        "yes all work and no play | head -c 20000000;",
                        "head -c 20000000 /dev/zero | tr '\\0' x;",
                        "head -c 20000000 /dev/urandom;")
                .map(flood -> hive.spawn(
                        supervisor,
                        flood + " echo x > $FLAG; while [ -e $FLAG ]; do sleep 0.05; done;"
                                + " echo; echo the last line; exit 3"))
                .toList();
        workers.forEach(hive::awaitFlag);
        eventually()
                .until(() -> workers.stream()
                        .allMatch(worker -> hive.directory
                                        .resolve(worker.id() + ".log")
                                        .toFile()
                                        .length()
                                <= limit));

        workers.forEach(
                worker -> assertThat(hive.flag(worker.id()).toFile().delete()).isTrue());
        workers.forEach(hive::awaitRemoved);

        assertThat(supervisor.recentExits()).hasSize(workers.size()).allSatisfy(exit -> {
            assertThat(exit.status()).isEqualTo(ExitStatus.unrequested(3));
            assertThat(exit.output()).hasSizeLessThanOrEqualTo(20).endsWith("the last line");
            assertThat(exit.output())
                    .allSatisfy(line -> assertThat(line.length()).isLessThan(70_000));
        });
    }

    /**
     * A server answers at the url of a worker that exits before its first probe: it never becomes ready. The scheduler
     * is blocked until then, and the common pool is full, so that no exit is notified.
     */
    @Test
    void aWorkerThatExitsBeforeItsFirstProbeIsNeverProbed() throws InterruptedException {
        UnexpectedWarnings.expect(FAILED);
        WorkerSupervisor supervisor = hive.supervise(RestartPolicy.never());
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        hive.scheduler.execute(() -> {
            held.countDown();
            awaitForever(release);
        });
        held.await();
        try (RawServer sound = RawServer.saying(RawServer.status(200));
                FullCommonPool pool = new FullCommonPool()) {
            List<WorkerInfo> workers = Stream.generate(
                            () -> hive.spawn(supervisor, "echo no model; exit 3", sound.url()))
                    .limit(10)
                    .toList();
            var ready = supervisor.whenReady(workers.get(0).id()).toCompletableFuture();
            eventually().until(() -> workers.stream().noneMatch(RealHive::isRunning));
            assertThat(hive.registry.list()).hasSize(10);
            release.countDown();

            workers.forEach(hive::awaitRemoved);

            pool.assertStillFull();
            assertThat(sound.requests()).isEmpty();
            assertThat(ready)
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOfSatisfying(
                            WorkerEndedException.class,
                            ended -> assertThat(ended.exit().output()).containsExactly("no model"));
            assertThat(workers)
                    .allSatisfy(worker -> assertThat(hive.heard.historyOf(worker.id()))
                            .containsExactly("Registered", "Crashed", "Removed"));
        } finally {
            release.countDown();
        }
    }

    private static void awaitForever(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
