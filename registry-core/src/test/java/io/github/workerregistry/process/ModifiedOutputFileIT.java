package io.github.workerregistry.process;

import static io.github.workerregistry.process.RealWorkers.spec;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** External changes to the output file of a running worker: output stays bounded and readable until after the exit. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
@Timeout(60)
class ModifiedOutputFileIT {

    private static final long LIMIT = 100_000;
    private static final int FLOOD = 1_000_000;

    @RegisterExtension
    final RealWorkers workers;

    private final Path logs;
    private final Path log;
    private final Path commands;
    private final LocalProcessController bounded;
    private int floods;

    ModifiedOutputFileIT(@TempDir Path logs, @TempDir Path elsewhere) {
        this.workers = new RealWorkers(logs);
        this.logs = logs;
        this.log = logs.resolve("w.log");
        this.commands = elsewhere.resolve("commands");
        this.bounded = LocalProcessController.builder()
                .outputDirectory(logs)
                .outputLimit(LIMIT)
                .build();
    }

    @BeforeEach
    void makeFifo() {
        ProcessHandle making = workers.processes().start("mkfifo", commands.toString());
        workers.eventually(() -> !RealProcesses.runs(making));
    }

    /** A worker that runs each line that is written into the FIFO. */
    private WorkerProcess scripted(LocalProcessController controller) {
        String script = "exec 3<>'" + commands + "'; while read -r line <&3; do eval \"$line\"; done";
        WorkerProcess process = workers.start(controller, spec("w", "sh", "-c", script));
        execute("echo started");
        workers.eventuallyPrinted(process, "started");
        return process;
    }

    private void execute(String command) {
        try {
            Files.writeString(commands, command + "\n", StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void deletedFileIsStillCountedReadAndBounded() throws IOException {
        WorkerProcess process = scripted(bounded);

        Files.delete(log);

        assertStillRecorded(process);
        assertThat(log).doesNotExist();
    }

    @Test
    void renamedFileIsStillCountedReadAndBoundedAndItsReplacementIsUntouched() throws IOException {
        WorkerProcess process = scripted(bounded);

        Path rotated = Files.move(log, logs.resolve("w.log.1"));
        String foreign = "f".repeat((int) LIMIT + 1);
        Files.writeString(log, foreign);

        assertStillRecorded(process);
        assertThat(rotated.toFile().length()).isLessThanOrEqualTo(LIMIT);
        assertThat(log).hasContent(foreign);
    }

    @Test
    void copiedAndTruncatedFileIsStillCountedReadAndBounded() throws IOException {
        WorkerProcess process = scripted(bounded);

        Path copy = Files.copy(log, logs.resolve("w.log.1"));
        Files.write(log, new byte[0]);
        execute("echo after");
        workers.eventuallyPrinted(process, "after");

        assertThat(process.outputTail(9)).containsExactly("after");
        assertThat(process.outputBytes()).isEqualTo("started\nafter\n".length());
        assertThat(copy).hasContent("started\n");
        assertIsBounded(process);
    }

    @Test
    void removalOfTheOutputDirectoryDoesNotAffectARunningWorker() throws IOException {
        WorkerProcess process = scripted(bounded);

        Files.delete(log);
        Files.delete(logs);

        assertStillRecorded(process);
        assertThatThrownBy(() -> bounded.start(spec("w", "sleep", "600")))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("output directory " + logs + " does not exist or is no directory");
        Files.createDirectory(logs);
    }

    @Test
    void linkThatReplacesTheFileIsNotFollowedAndFailsTheNextStart(@TempDir Path elsewhere) throws IOException {
        String content = "p".repeat((int) LIMIT + 1);
        Path victim = Files.writeString(elsewhere.resolve("victim"), content);
        WorkerProcess process = scripted(bounded);

        Files.delete(log);
        Files.createSymbolicLink(log, victim);

        assertStillRecorded(process);
        assertThatThrownBy(() -> bounded.start(spec("w", "echo", "next")))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("output file " + log + " cannot be opened: it is a symbolic link");
        Files.delete(log);
        Files.createLink(log, victim);
        assertThatThrownBy(() -> bounded.start(spec("w", "echo", "next")))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("output file " + log + " cannot be opened: it has other names (hard links)");
        assertThat(victim).hasContent(content);
    }

    /** Regression: it was opened for appending, which blocks until the FIFO has a reader. */
    @Test
    void fifoThatReplacesTheFileBlocksNoThread() throws IOException {
        WorkerProcess process = scripted(bounded);

        Files.delete(log);
        Files.move(commands, log);
        makeFifo();
        Files.delete(commands);
        Files.createLink(commands, log); // through which the worker receives commands

        assertStillRecorded(process);
        assertThatThrownBy(() -> bounded.start(spec("w", "echo", "next")))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("output file " + log + " cannot be opened: it is not a regular file");
    }

    @Test
    void fileWithoutPermissionsIsReadAndTruncatedThroughTheOpenDescriptor() throws IOException {
        WorkerProcess process = scripted(bounded);

        Files.setPosixFilePermissions(log, PosixFilePermissions.fromString("---------"));

        assertStillRecorded(process);
    }

    /** As servers do that log to /dev/stdout. Their output is then no longer appended. */
    @Test
    void outputOfAWorkerThatReopensItStaysBounded() {
        WorkerProcess process = scripted(bounded);
        long before = process.outputBytes();

        execute("exec >/dev/stdout; echo anew");
        workers.eventuallyPrinted(process, "anew");

        assertThat(process.outputTail(9)).containsExactly("anew");
        assertThat(process.outputBytes()).isGreaterThan(before);
        assertIsBounded(process);
        assertIsBounded(process);
        execute("echo one");
        workers.eventuallyPrinted(process, "one");
        assertThat(process.outputBytes()).isPositive(); // truncates
        execute("echo two");
        workers.eventuallyPrinted(process, "two");
        assertThat(process.outputTail(2)).containsExactly("one", "two");
    }

    @Test
    void nextProcessAfterARotationStartsANewFile() throws IOException {
        WorkerProcess first = scripted(bounded);
        Path rotated = Files.move(log, logs.resolve("w.log.1"));
        execute("echo late");
        workers.eventuallyPrinted(first, "late");
        workers.end(first);

        WorkerProcess second = workers.start(bounded, spec("w", "echo", "second"));
        workers.eventuallyExited(second);

        assertThat(second.outputTail(9)).containsExactly("second");
        assertThat(log).hasContent("second\n");
        assertThat(rotated).hasContent("started\nlate\n");
        assertThat(Files.getPosixFilePermissions(log)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void processesOfOneWorkerShareOneFileAndLeakNoDescriptor() throws IOException {
        int count = 50;
        for (int i = 1; i <= count; i++) {
            WorkerProcess process = workers.start(spec("w", "echo", "run " + i));
            workers.eventuallyExited(process);
            assertThat(process.outputTail(9)).containsExactly("run " + i);
            process.release();
            assertThat(process.outputTail(9)).isEmpty();
            assertThat(process.outputBytes()).isPositive();
        }

        assertThat(Files.readAllLines(log)).hasSize(count);
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            assertThat(descriptors.map(ModifiedOutputFileIT::target)).noneMatch(target -> target.startsWith(logs));
        }
    }

    @Test
    void renamedTemporaryFileIsDeletedWithItsDirectory() throws IOException {
        LocalProcessController temporary =
                LocalProcessController.builder().outputLimit(LIMIT).build();
        WorkerProcess process = scripted(temporary);
        Path file = RealWorkers.target(process, 1);

        Path renamed = Files.move(file, file.resolveSibling("renamed"), StandardCopyOption.ATOMIC_MOVE);
        assertStillRecorded(process);
        workers.end(process);

        assertThat(renamed).doesNotExist();
        assertThat(file.getParent()).doesNotExist();
    }

    /** As a clean-up job for temporary files does. */
    @Test
    void removedTemporaryDirectoryIsRecreatedForTheNextProcess() throws IOException {
        LocalProcessController temporary =
                LocalProcessController.builder().outputLimit(LIMIT).build();
        WorkerProcess process = scripted(temporary);
        Path file = RealWorkers.target(process, 1);
        Files.delete(file);
        Files.delete(file.getParent());

        assertStillRecorded(process);
        WorkerProcess next = workers.start(temporary, spec("w", "sleep", "600"));

        Path home = RealWorkers.target(next, 1).getParent();
        assertThat(Files.getPosixFilePermissions(home)).isEqualTo(PosixFilePermissions.fromString("rwx------"));
        workers.end(process);
        workers.end(next);
        assertThat(home).doesNotExist();
    }

    @Test
    void outputIsReadAndTruncatedWithoutAFreeFileDescriptor(@TempDir Path flags) throws IOException {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -n 64; exec \"$@\"", "cramped"));
        command.addAll(ChildJvm.command(OutputShortageMain.class, logs.toString(), flags.toString()));
        Path said = flags.resolve("said");
        ProcessHandle hive = workers.processes()
                .watch(new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile())
                        .start()
                        .toHandle());

        workers.eventually(() -> !RealProcesses.runs(hive));

        assertThat(said).hasContent("took true, bounded true, counted true, last [end of round 2]\n");
    }

    /** Further output is counted, read and bounded, and its last lines are available after the exit. */
    private void assertStillRecorded(WorkerProcess process) {
        assertThat(process.outputTail(9)).containsExactly("started");
        execute("echo after");
        workers.eventuallyPrinted(process, "after");
        assertThat(process.outputTail(9)).containsExactly("started", "after");
        assertThat(process.outputBytes()).isEqualTo("started\nafter\n".length());
        assertIsBounded(process);
        execute("echo fatal: out of memory; exit 3");
        workers.eventuallyExited(process);
        assertThat(process.outputTail(2)).isEqualTo(List.of("end of flood " + floods, "fatal: out of memory"));
    }

    private void assertIsBounded(WorkerProcess process) {
        long before = process.outputBytes();
        String end = "end of flood " + ++floods;
        execute("yes $(seq 100) | head -c " + FLOOD + "; echo; echo " + end);
        workers.eventuallyPrinted(process, end);
        assertThat(process.outputBytes()).isGreaterThanOrEqualTo(before + FLOOD);
        Path open = Path.of("/proc/" + process.identity().pid() + "/fd/1");
        assertThat(open.toFile().length()).isLessThanOrEqualTo(LIMIT);
        assertThat(process.outputTail(1)).containsExactly(end);
    }

    private static Path target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor);
        } catch (IOException closedMeanwhile) {
            return descriptor;
        }
    }
}
