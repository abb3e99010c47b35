package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract, and what exit codes, signals and notices of real processes are like. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class LocalProcessControllerIT extends ProcessControllerContract {

    @RegisterExtension
    final RealWorkers workers;

    LocalProcessControllerIT(@TempDir Path logs) {
        this.workers = new RealWorkers(logs);
    }

    @Override
    ProcessController controller() {
        return workers.controller();
    }

    @Override
    WorkerProcess running() {
        return workers.running();
    }

    @Override
    WorkerProcess endingWith(int code) {
        return workers.shell("exit " + code);
    }

    @Override
    WorkerProcess stubborn() {
        WorkerProcess process = workers.shell("trap '' TERM; echo ready; sleep 600");
        workers.eventuallyPrinted(process, "ready");
        return process;
    }

    @Override
    WorkerProcess printing(String... lines) {
        return workers.printing(lines);
    }

    @Override
    ProcessSpec unstartable() {
        return RealWorkers.unstartable();
    }

    @Override
    void eventually(BooleanSupplier condition) {
        workers.eventually(condition);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 137})
    void anExitCodeIsPassedOn(int code) {
        WorkerProcess process = endingWith(code);

        eventuallyEnded(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.unrequested(code));
    }

    @Test
    void aSignalFromElsewhereIsAnUnrequestedEnd() {
        WorkerProcess process = running();

        workers.handleOf(process).destroyForcibly();
        eventuallyEnded(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    /** With Process.destroy() in place of a signal it dies of SIGPIPE, 141, while it says good-bye. */
    @Test
    void aWorkerThatTrapsSigtermEndsWithItsOwnCodeAndItsLastWords() {
        WorkerProcess process =
                workers.shell("trap 'echo good-bye; exit 7' TERM; echo ready; while :; do sleep 0.02; done");
        workers.eventuallyPrinted(process, "ready");

        process.terminate();
        eventuallyEnded(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.requested(7));
        assertThat(process.outputTail(9)).contains("ready", "good-bye");
    }

    @Test
    void aStoppedProcessDiesOfKill() {
        WorkerProcess process = running();
        workers.suspend(process);

        process.terminate();
        assertThat(process.exitStatus()).isEmpty();
        process.kill();
        eventuallyEnded(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.requested(137));
    }

    @Test
    void theNoticeComesWithoutAnybodyAsking() {
        WorkerProcess process = running();

        workers.handleOf(process).destroyForcibly();

        eventually(() -> process.onExit().toCompletableFuture().isDone());
    }

    @Test
    void theExitIsSeenThoughTheCommonPoolIsFull() throws InterruptedException {
        WorkerProcess process = running();
        int tasks = 2 * ForkJoinPool.getCommonPoolParallelism() + 2;
        CountDownLatch done = new CountDownLatch(tasks);
        CountDownLatch leave = new CountDownLatch(1);
        try {
            for (int i = 0; i < tasks; i++) {
                ForkJoinPool.commonPool().execute(() -> {
                    awaitQuietly(leave);
                    done.countDown();
                });
            }
            workers.handleOf(process).destroyForcibly();
            eventually(() -> process.exitStatus().isPresent());
            assertThat(process.onExit().toCompletableFuture()).isDone();
        } finally {
            leave.countDown();
            done.await();
        }
    }

    @Test
    void manyWhoAskAtOnceGetOneNotice() {
        for (int round = 0; round < 20; round++) {
            WorkerProcess process = workers.shell("sleep 600 & exit 3");
            AtomicInteger notices = new AtomicInteger();
            var counted = process.onExit().thenRun(notices::incrementAndGet).toCompletableFuture();

            eventually(() -> Stream.generate(() -> process)
                    .limit(8)
                    .parallel()
                    .allMatch(p -> p.exitStatus().isPresent()));

            assertThat(counted).isCompleted();
            assertThat(notices).hasValue(1);
        }
    }

    @Test
    void aReceiverOfTheNoticeMayCallBack() {
        WorkerProcess process = running();
        var nested = process.onExit()
                .thenApply(status -> {
                    process.kill();
                    process.release();
                    return process.exitStatus();
                })
                .toCompletableFuture();

        process.kill();
        eventuallyEnded(process);

        assertThat(nested).isCompletedWithValue(Optional.of(ExitStatus.requested(137)));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
