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

/**
 * What others do to the output file of a worker while it runs: it stays bounded and readable, to the exit and after.
 */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
@Timeout(60)
class DisturbedOutputIT {

    private static final long LIMIT = 100_000;
    private static final int FLOOD = 1_000_000;

    @RegisterExtension
    final RealWorkers workers;

    private final Path logs;
    private final Path log;
    private final Path commands;
    private final LocalProcessController bounded;
    private int floods;

    DisturbedOutputIT(@TempDir Path logs, @TempDir Path elsewhere) {
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
    private WorkerProcess obedient(LocalProcessController controller) {
        String script = "exec 3<>'" + commands + "'; while read -r line <&3; do eval \"$line\"; done";
        WorkerProcess process = workers.start(controller, spec("w", "sh", "-c", script));
        tell("echo started");
        workers.eventuallyPrinted(process, "started");
        return process;
    }

    private void tell(String command) {
        try {
            Files.writeString(commands, command + "\n", StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aDeletedFileIsCountedReadAndBoundedAsBefore() throws IOException {
        WorkerProcess process = obedient(bounded);

        Files.delete(log);

        assertGoesOn(process);
        assertThat(log).doesNotExist();
    }

    @Test
    void aRenamedFileIsCountedReadAndBoundedAsBeforeAndWhatTakesItsPlaceIsLeftAlone() throws IOException {
        WorkerProcess process = obedient(bounded);

        Path rotated = Files.move(log, logs.resolve("w.log.1"));
        String foreign = "f".repeat((int) LIMIT + 1);
        Files.writeString(log, foreign);

        assertGoesOn(process);
        assertThat(rotated.toFile().length()).isLessThanOrEqualTo(LIMIT);
        assertThat(log).hasContent(foreign);
    }

    @Test
    void aFileThatIsCopiedAndTruncatedIsCountedReadAndBoundedAsBefore() throws IOException {
        WorkerProcess process = obedient(bounded);

        Path copy = Files.copy(log, logs.resolve("w.log.1"));
        Files.write(log, new byte[0]);
        tell("echo after");
        workers.eventuallyPrinted(process, "after");

        assertThat(process.outputTail(9)).containsExactly("after");
        assertThat(process.outputBytes()).isEqualTo("started\nafter\n".length());
        assertThat(copy).hasContent("started\n");
        assertIsBounded(process);
    }

    @Test
    void aDirectoryThatIsRemovedWithAllItsFilesTakesNothingFromARunningWorker() throws IOException {
        WorkerProcess process = obedient(bounded);

        Files.delete(log);
        Files.delete(logs);

        assertGoesOn(process);
        assertThatThrownBy(() -> bounded.start(spec("w", "sleep", "600")))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("output directory " + logs + " does not exist or is no directory");
        Files.createDirectory(logs);
    }

    @Test
    void aLinkThatTakesThePlaceOfTheFileIsNotFollowedAndRefusedAtTheNextStart(@TempDir Path elsewhere)
            throws IOException {
        String precious = "p".repeat((int) LIMIT + 1);
        Path victim = Files.writeString(elsewhere.resolve("victim"), precious);
        WorkerProcess process = obedient(bounded);

        Files.delete(log);
        Files.createSymbolicLink(log, victim);

        assertGoesOn(process);
        assertThatThrownBy(() -> bounded.start(spec("w", "echo", "next")))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("output file " + log + " cannot be opened: it is a symbolic link");
        Files.delete(log);
        Files.createLink(log, victim);
        assertThatThrownBy(() -> bounded.start(spec("w", "echo", "next")))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("output file " + log + " cannot be opened: it has other names (hard links)");
        assertThat(victim).hasContent(precious);
    }

    /** It was opened for appending, which waits for a reader, for ever. */
    @Test
    void aFifoThatTakesThePlaceOfTheFileBlocksNobody() throws IOException {
        WorkerProcess process = obedient(bounded);

        Files.delete(log);
        Files.move(commands, log);
        makeFifo();
        Files.delete(commands);
        Files.createLink(commands, log); // by which the worker is told what to do

        assertGoesOn(process);
        assertThatThrownBy(() -> bounded.start(spec("w", "echo", "next")))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("output file " + log + " cannot be opened: it is no regular file");
    }

    @Test
    void aFileThatNobodyMayReadAnyMoreIsReadAndCutThroughWhatIsOpen() throws IOException {
        WorkerProcess process = obedient(bounded);

        Files.setPosixFilePermissions(log, PosixFilePermissions.fromString("---------"));

        assertGoesOn(process);
    }

    /** So do servers that are told to log to /dev/stdout. What they write then is no longer appended. */
    @Test
    void aWorkerThatOpensItsOutputAnewStaysBounded() {
        WorkerProcess process = obedient(bounded);
        long before = process.outputBytes();

        tell("exec >/dev/stdout; echo anew");
        workers.eventuallyPrinted(process, "anew");

        assertThat(process.outputTail(9)).containsExactly("anew");
        assertThat(process.outputBytes()).isGreaterThan(before);
        assertIsBounded(process);
        assertIsBounded(process);
        tell("echo one");
        workers.eventuallyPrinted(process, "one");
        assertThat(process.outputBytes()).isPositive(); // cuts
        tell("echo two");
        workers.eventuallyPrinted(process, "two");
        assertThat(process.outputTail(2)).containsExactly("one", "two");
    }

    @Test
    void afterARotationTheNextProcessBeginsANewFile() throws IOException {
        WorkerProcess first = obedient(bounded);
        Path rotated = Files.move(log, logs.resolve("w.log.1"));
        tell("echo late");
        workers.eventuallyPrinted(first, "late");
        workers.end(first);

        WorkerProcess second = workers.start(bounded, spec("w", "echo", "second"));
        workers.eventuallyEnded(second);

        assertThat(second.outputTail(9)).containsExactly("second");
        assertThat(log).hasContent("second\n");
        assertThat(rotated).hasContent("started\nlate\n");
        assertThat(Files.getPosixFilePermissions(log)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void manyProcessesOfOneWorkerShareOneFileAndLeaveNoDescriptor() throws IOException {
        int count = 50;
        for (int i = 1; i <= count; i++) {
            WorkerProcess process = workers.start(spec("w", "echo", "run " + i));
            workers.eventuallyEnded(process);
            assertThat(process.outputTail(9)).containsExactly("run " + i);
            process.release();
            assertThat(process.outputTail(9)).isEmpty();
            assertThat(process.outputBytes()).isPositive();
        }

        assertThat(Files.readAllLines(log)).hasSize(count);
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            assertThat(descriptors.map(DisturbedOutputIT::target)).noneMatch(target -> target.startsWith(logs));
        }
    }

    @Test
    void aTemporaryFileIsDeletedUnderWhateverNameItHasAndTheDirectoryWithIt() throws IOException {
        LocalProcessController temporary =
                LocalProcessController.builder().outputLimit(LIMIT).build();
        WorkerProcess process = obedient(temporary);
        Path file = RealWorkers.target(process, 1);

        Path renamed = Files.move(file, file.resolveSibling("renamed"), StandardCopyOption.ATOMIC_MOVE);
        assertGoesOn(process);
        workers.end(process);

        assertThat(renamed).doesNotExist();
        assertThat(file.getParent()).doesNotExist();
    }

    /** As a cleaner of temporary files does it. */
    @Test
    void aTemporaryDirectoryThatIsRemovedIsMadeAnewForTheNextProcess() throws IOException {
        LocalProcessController temporary =
                LocalProcessController.builder().outputLimit(LIMIT).build();
        WorkerProcess process = obedient(temporary);
        Path file = RealWorkers.target(process, 1);
        Files.delete(file);
        Files.delete(file.getParent());

        assertGoesOn(process);
        WorkerProcess next = workers.start(temporary, spec("w", "sleep", "600"));

        Path home = RealWorkers.target(next, 1).getParent();
        assertThat(Files.getPosixFilePermissions(home)).isEqualTo(PosixFilePermissions.fromString("rwx------"));
        workers.end(process);
        workers.end(next);
        assertThat(home).doesNotExist();
    }

    @Test
    void aHiveThatHasNoFileDescriptorLeftReadsAndCutsAllTheSame(@TempDir Path flags) throws IOException {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -n 64; exec \"$@\"", "cramped"));
        command.addAll(ChildJvm.command(CrampedMain.class, logs.toString(), flags.toString()));
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

    /** What the worker prints now is counted, read and bounded, and its last lines are there when it has exited. */
    private void assertGoesOn(WorkerProcess process) {
        assertThat(process.outputTail(9)).containsExactly("started");
        tell("echo after");
        workers.eventuallyPrinted(process, "after");
        assertThat(process.outputTail(9)).containsExactly("started", "after");
        assertThat(process.outputBytes()).isEqualTo("started\nafter\n".length());
        assertIsBounded(process);
        tell("echo fatal: out of memory; exit 3");
        workers.eventuallyEnded(process);
        assertThat(process.outputTail(2)).isEqualTo(List.of("end of flood " + floods, "fatal: out of memory"));
    }

    private void assertIsBounded(WorkerProcess process) {
        long before = process.outputBytes();
        String end = "end of flood " + ++floods;
        tell("yes $(seq 100) | head -c " + FLOOD + "; echo; echo " + end);
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
