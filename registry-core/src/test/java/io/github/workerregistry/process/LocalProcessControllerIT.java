package io.github.workerregistry.process;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract; exit codes, signals and exit notices of real processes. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class LocalProcessControllerIT {

    @RegisterExtension
    final RealWorkers workers;

    private final Path logs;

    LocalProcessControllerIT(@TempDir Path logs) {
        this.logs = logs;
        this.workers = new RealWorkers(logs);
    }

    @TestFactory
    Stream<DynamicTest> fulfilsTheContractWithOutputInATemporaryDirectory() {
        return testsOf(new TemporaryOutputContract(withUniqueHiveId().build()));
    }

    @TestFactory
    Stream<DynamicTest> fulfilsTheContractWithOutputInADirectoryOfTheHive() {
        return testsOf(new LocalProcessContract(
                withUniqueHiveId().outputDirectory(logs).build()));
    }

    /** With a unique hive id, so that a reaper finds no orphans of other tests. */
    private static LocalProcessController.Builder withUniqueHiveId() {
        return LocalProcessController.builder().hiveId("contract-" + UUID.randomUUID());
    }

    private static Stream<DynamicTest> testsOf(LocalProcessContract contract) {
        return contract.checks().stream().map(check -> dynamicTest(check.name(), () -> check.run(Assumptions::abort)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 137})
    void exitCodeIsReported(int code) {
        WorkerProcess process = workers.shell("exit " + code);

        workers.eventuallyExited(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.unrequested(code));
    }

    @Test
    void externalSignalIsAnUnrequestedExit() {
        WorkerProcess process = workers.running();

        workers.handleOf(process).destroyForcibly();
        workers.eventuallyExited(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.unrequested(137));
    }

    /** Process.destroy() would end it by SIGPIPE (141) while it prints its last line. */
    @Test
    void workerThatTrapsSigtermExitsWithItsOwnCodeAndLastLine() {
        WorkerProcess process =
                workers.shell("trap 'echo good-bye; exit 7' TERM; echo ready; while :; do sleep 0.02; done");
        workers.eventuallyPrinted(process, "ready");

        process.terminate();
        workers.eventuallyExited(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.requested(7));
        assertThat(process.outputTail(9)).contains("ready", "good-bye");
    }

    @Test
    void stoppedProcessIsKilled() {
        WorkerProcess process = workers.running();
        workers.suspend(process);

        process.kill();
        workers.eventuallyExited(process);

        assertThat(process.exitStatus()).hasValue(ExitStatus.requested(137));
    }

    @Test
    void noticeCompletesWithoutPolling() {
        WorkerProcess process = workers.running();

        workers.handleOf(process).destroyForcibly();

        workers.eventually(() -> process.onExit().toCompletableFuture().isDone());
    }

    @Test
    void exitIsDetectedAlthoughTheCommonPoolIsFull() throws InterruptedException {
        WorkerProcess process = workers.running();
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
            workers.eventually(() -> process.exitStatus().isPresent());
            assertThat(process.onExit().toCompletableFuture()).isDone();
        } finally {
            leave.countDown();
            done.await();
        }
    }

    @Test
    void concurrentPollsCompleteTheNoticeOnce() {
        for (int round = 0; round < 20; round++) {
            WorkerProcess process = workers.shell("sleep 600 & exit 3");
            AtomicInteger notices = new AtomicInteger();
            var counted = process.onExit().thenRun(notices::incrementAndGet).toCompletableFuture();

            workers.eventually(() -> Stream.generate(() -> process)
                    .limit(8)
                    .parallel()
                    .allMatch(p -> p.exitStatus().isPresent()));

            assertThat(counted).isCompleted();
            assertThat(notices).hasValue(1);
        }
    }

    @Test
    void callbackOfTheNoticeMayCallTheProcess() {
        WorkerProcess process = workers.running();
        var nested = process.onExit()
                .thenApply(status -> {
                    process.kill();
                    process.release();
                    return process.exitStatus();
                })
                .toCompletableFuture();

        process.kill();
        workers.eventuallyExited(process);

        assertThat(nested).isCompletedWithValue(Optional.of(ExitStatus.requested(137)));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** If output is not kept, nothing of it may remain. */
    private static final class TemporaryOutputContract extends LocalProcessContract {
        private final String prefix;

        TemporaryOutputContract(LocalProcessController controller) {
            super(controller);
            this.prefix = AbandonedDirectories.prefix(controller.hiveId());
        }

        @Override
        protected Optional<Set<String>> leftovers() {
            try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
                return Optional.of(files.map(file -> file.getFileName().toString())
                        .filter(name -> name.startsWith(prefix))
                        .collect(toSet()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
