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

/** A stopped process obeys SIGTERM only when it goes on: it waited for the SIGKILL after the grace. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ResumptionIT {

    @RegisterExtension
    final RealWorkers workers;

    private final Path directory;

    ResumptionIT(@TempDir Path directory) {
        this.directory = directory;
        this.workers = new RealWorkers(directory);
    }

    @Test
    void aStoppedWorkerObeysTerminate() {
        WorkerProcess worker = workers.running();
        workers.suspend(worker);

        worker.terminate();
        workers.eventuallyEnded(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    @Test
    void itSaysItsLastWords() {
        WorkerProcess worker =
                workers.shell("trap 'echo good-bye; exit 7' TERM; echo ready; while :; do sleep 0.02; done");
        workers.eventuallyPrinted(worker, "ready");
        workers.suspend(worker);

        worker.terminate();
        workers.eventuallyEnded(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(7));
        assertThat(worker.outputTail(9)).contains("good-bye");
    }

    @Test
    void soDoAllStoppedProcessesOfATree() {
        WorkerProcess worker = workers.shell("setsid sleep 600 & echo $!; wait");
        ProcessIdentity child = workers.printedPid(worker);
        stop(child);
        workers.suspend(worker);

        worker.terminate();
        workers.eventuallyEnded(worker);

        assertThat(child.isAlive()).isFalse();
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    /** It is found when the root has gone, and asked then. */
    @Test
    void aStoppedProcessThatTheRootLeavesBehindIsResumed() {
        WorkerProcess worker = workers.shell("trap 'sh -c \"kill -s STOP \\$\\$; exec sleep 600\" &"
                + " until grep -q \"T (stopped)\" /proc/$!/status; do :; done; exit 5' TERM;"
                + " echo ready; while :; do sleep 0.02; done");
        workers.eventuallyPrinted(worker, "ready");

        worker.terminate();
        workers.eventuallyEnded(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(5));
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    void oneWhoseFirstThreadHasEndedIsResumedToo() throws IOException {
        WorkerProcess worker = workers.start(HeadlessProgram.in(directory).toString());
        await().until(() -> Proc.stat(worker.identity().pid())
                .value()
                .filter(Proc.Stat::livesInOtherThreads)
                .isPresent());
        stop(worker.identity());

        worker.terminate();
        workers.eventuallyEnded(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    /** The start time is compared right before the signal, whatever the program calls itself. */
    @Test
    void aStrangerWithThePidIsNotResumed() throws IOException {
        Path sleep = Path.of("/bin/sleep").toRealPath();
        assumeTrue(sleep.endsWith("sleep"), "sleep is a program of its own, and can be copied under another name");
        Path odd = Files.copy(sleep, directory.resolve("a) Z 1 (b\nc"), COPY_ATTRIBUTES);
        ProcessIdentity stranger = ProcessIdentity.of(workers.processes().start(odd.toString(), "600"));
        ProcessIdentity other = ProcessIdentity.of(workers.processes().start("sleep", "600"));
        stop(stranger);
        stop(other);
        ProcessIdentity predecessor = new ProcessIdentity(stranger.pid(), stranger.startTime() - 1, stranger.bootId());

        assertThat(Resumption.ofStopped(List.of(predecessor, other))).isTrue();

        await().until(() -> !isStopped(other)); // the shell has passed the stranger by then
        assertThat(isStopped(stranger)).isTrue();
        assertThat(Resumption.ofStopped(List.of(stranger))).isTrue();
        await().until(() -> !isStopped(stranger));
    }

    @Test
    void ifNoneIsStoppedNothingIsStarted() {
        WorkerProcess worker = workers.running();
        long before = ProcessHandle.current().children().count();

        assertThat(Resumption.ofStopped(List.of(worker.identity()))).isTrue();

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
