package io.github.workerregistry.process;

import static java.nio.file.StandardCopyOption.COPY_ATTRIBUTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A stopped process handles SIGTERM only after it is resumed. Regression: it ran until SIGKILL after the grace period.
 */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class StoppedProcessResumerIT {

    @RegisterExtension
    final RealWorkers workers;

    private final Path directory;

    StoppedProcessResumerIT(@TempDir Path directory) {
        this.directory = directory;
        this.workers = new RealWorkers(directory);
    }

    @Test
    void stoppedWorkerExitsOnTerminate() {
        WorkerProcess worker = workers.running();
        workers.suspend(worker);

        worker.terminate();
        workers.eventuallyExited(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    @Test
    void stoppedWorkerPrintsItsLastLineOnTerminate() {
        WorkerProcess worker =
                workers.shell("trap 'echo good-bye; exit 7' TERM; echo ready; while :; do sleep 0.02; done");
        workers.eventuallyPrinted(worker, "ready");
        workers.suspend(worker);

        worker.terminate();
        workers.eventuallyExited(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(7));
        assertThat(worker.outputTail(9)).contains("good-bye");
    }

    @Test
    void allStoppedProcessesOfATreeExitOnTerminate() {
        WorkerProcess worker = workers.shell("setsid sleep 600 & echo $!; wait");
        ProcessIdentity child = workers.printedPid(worker);
        stop(child);
        workers.suspend(worker);

        worker.terminate();
        workers.eventuallyExited(worker);

        assertThat(child.isAlive()).isFalse();
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    /** It is found after the exit of the root, and then signalled. */
    @Test
    void stoppedProcessLeftBehindByTheRootIsResumed() {
        WorkerProcess worker = workers.shell("trap 'sh -c \"kill -s STOP \\$\\$; exec sleep 600\" &"
                + " until grep -q \"T (stopped)\" /proc/$!/status; do :; done; exit 5' TERM;"
                + " echo ready; while :; do sleep 0.02; done");
        workers.eventuallyPrinted(worker, "ready");

        worker.terminate();
        workers.eventuallyExited(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(5));
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    void stoppedProcessWithEndedFirstThreadIsResumed() throws IOException {
        WorkerProcess worker =
                workers.start(EndedFirstThreadProgram.in(directory).toString());
        await().until(() -> Proc.stat(worker.identity().pid())
                .value()
                .filter(Proc.Stat::livesInOtherThreads)
                .isPresent());
        stop(worker.identity());

        worker.terminate();
        workers.eventuallyExited(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    /** The start time is compared immediately before the signal, whatever the name of the program. */
    @Test
    void processThatReusesThePidIsNotResumed() throws IOException {
        Path sleep = Path.of("/bin/sleep").toRealPath();
        assumeTrue(sleep.endsWith("sleep"), "sleep is a program of its own, and can be copied under another name");
        Path named = Files.copy(sleep, directory.resolve("a) Z 1 (b\nc"), COPY_ATTRIBUTES);
        ProcessIdentity unrelated = ProcessIdentity.of(workers.processes().start(named.toString(), "600"));
        ProcessIdentity other = ProcessIdentity.of(workers.processes().start("sleep", "600"));
        stop(unrelated);
        stop(other);
        ProcessIdentity predecessor =
                new ProcessIdentity(unrelated.pid(), unrelated.startTime() - 1, unrelated.bootId());

        assertThat(StoppedProcessResumer.ofStopped(List.of(predecessor, other))).isTrue();

        await().until(() -> !isStopped(other)); // the shell has handled the unrelated process by then
        assertThat(isStopped(unrelated)).isTrue();
        assertThat(StoppedProcessResumer.ofStopped(List.of(unrelated))).isTrue();
        await().until(() -> !isStopped(unrelated));
    }

    @Test
    void noHelperIsStartedIfNoProcessIsStopped() {
        WorkerProcess worker = workers.running();
        long before = ProcessHandle.current().children().count();

        assertThat(StoppedProcessResumer.ofStopped(List.of(worker.identity()))).isTrue();

        assertThat(ProcessHandle.current().children().count()).isLessThanOrEqualTo(before);
    }

    private void stop(ProcessIdentity process) {
        workers.processes().start("kill", "-STOP", Long.toString(process.pid()));
        workers.eventually(() -> isStopped(process));
    }

    private static boolean isStopped(ProcessIdentity process) {
        return Proc.isStopped(process.pid()).value().equals(Optional.of(true));
    }
}
