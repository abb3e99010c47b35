package io.github.workerregistry.process;

import static io.github.workerregistry.process.RealWorkers.spec;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A worker runs in its own session; everything else is as specified. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class OwnSessionIT {

    private static final String PRINT_EACH = "for a; do printf '<%s>\\n' \"$a\"; done";

    @RegisterExtension
    final RealWorkers workers;

    @RegisterExtension
    final LoggedLines logged = new LoggedLines();

    private final Path directory;

    OwnSessionIT(@TempDir Path directory) {
        this.directory = directory;
        this.workers = new RealWorkers(directory);
    }

    @BeforeAll
    static void requireSetsid() {
        assumeTrue(
                OwnSession.ofThisSystem().command(spec("w", "sh")).size() > 1,
                "there is no setsid on this machine, and so there are no sessions");
    }

    @Test
    void workerLeadsItsOwnSessionAndThePidIsThatOfItsProgram() {
        WorkerProcess worker = workers.shell("echo $$; exec sleep 600");

        ProcessIdentity program = workers.printedPid(worker);

        assertThat(worker.identity()).isEqualTo(program);
        assertThat(sessionOf(program)).isEqualTo(program.pid());
        assertThat(groupOf(program)).isEqualTo(program.pid());
        assertThat(sessionOf(ProcessIdentity.of(ProcessHandle.current()))).isNotEqualTo(program.pid());
    }

    /** A second setsid would fork, and the worker would count as exited. */
    @Test
    void commandThatStartsWithSetsidIsNotWrapped() {
        WorkerProcess worker = workers.start("setsid", "sh", "-c", "echo $$; exec sleep 600");

        ProcessIdentity program = workers.printedPid(worker);

        assertThat(worker.identity()).isEqualTo(program);
        assertThat(sessionOf(program)).isEqualTo(program.pid());
        assertThat(worker.exitStatus()).isEmpty();
    }

    @Test
    void workerWithAProcessGroupForItsChildrenIsEndedWithThem() {
        WorkerProcess worker = workers.shell("timeout 600 sleep 600 & echo $!; wait");
        ProcessIdentity child = workers.printedPid(worker);
        workers.eventually(() -> groupOf(child) == child.pid());

        worker.terminate();
        workers.eventuallyExited(worker);

        assertThat(child.isAlive()).isFalse();
        assertThat(worker.exitStatus()).hasValue(ExitStatus.requested(143));
    }

    @Test
    void argumentsAreUnchanged() {
        List<String> arguments = new ArrayList<>(List.of(
                "",
                "-",
                "--",
                "--help",
                "-c",
                "-f",
                "--wait",
                "$HOME",
                "a  b",
                "*",
                "'one' \"two\"",
                "; echo no",
                "a\\b"));
        if (Charset.forName(System.getProperty("sun.jnu.encoding")).newEncoder().canEncode("ü€漢")) {
            arguments.add("ü€漢");
        }

        assertThat(printedOf(List.of("sh", "-c", PRINT_EACH, "sh"), arguments))
                .isEqualTo(
                        arguments.stream().map(argument -> "<" + argument + ">").toList());
    }

    @Test
    void tenThousandArgumentsArePassed() {
        List<String> arguments =
                IntStream.range(0, 10_000).mapToObj(Integer::toString).toList();

        assertThat(printedOf(List.of("sh", "-c", "echo $#", "sh"), arguments)).containsExactly("10000");
    }

    @Test
    void tooLongArgumentIsASpawnExceptionOfTheProgram() {
        assertThatThrownBy(() -> workers.start("sleep", "6".repeat(200_000)))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("cannot start sleep")
                .hasMessageNotContainingAny("setsid")
                .hasCauseInstanceOf(IOException.class);
    }

    /** If treated as options, {@code -c} and {@code -f} would change the session, and the script would not run. */
    @ParameterizedTest
    @ValueSource(strings = {"-f", "-c", "--help", "--", "a program", "$(echo no)", "ä"})
    void anyFileNameCanBeAProgram(String name) throws IOException {
        assumeTrue(Charset.forName(System.getProperty("sun.jnu.encoding"))
                .newEncoder()
                .canEncode(name));
        script(directory.resolve(name), "#!/bin/sh\necho $$; exec sleep 600\n");
        Path hyphenated = Files.createDirectory(directory.resolve("-odd"));
        script(hyphenated.resolve(name), "#!/bin/sh\necho $$; exec sleep 600\n");

        for (String program : List.of(directory.resolve(name).toString(), "./" + name, "-odd/" + name)) {
            WorkerProcess worker = workers.start(
                    new ProcessSpec(program.substring(0, 1), List.of(program), Map.of(), Optional.of(directory)));
            assertThat(worker.identity()).isEqualTo(workers.printedPid(worker));
            workers.end(worker);
            Files.delete(directory.resolve(OutputFileName.of(program.substring(0, 1))));
        }
    }

    /** As in the JDK and in any shell. */
    @Test
    void scriptWithoutInterpreterIsRunByTheShell() throws IOException {
        Path script = script(directory.resolve("plain"), "echo \"$1\"; exit 4\n");

        WorkerProcess worker = workers.start(script.toString(), "an argument");
        workers.eventuallyExited(worker);

        assertThat(worker.outputTail(9)).containsExactly("an argument");
        assertThat(worker.exitStatus()).hasValue(ExitStatus.unrequested(4));
    }

    @Test
    void scriptWithAMissingInterpreterExitsWith127AndPrintsTheReason() throws IOException {
        Path script = script(directory.resolve("lost"), "#!/no/such/interpreter\n");

        WorkerProcess worker = workers.start(script.toString());
        workers.eventuallyExited(worker);

        assertThat(worker.exitStatus()).hasValue(ExitStatus.unrequested(127));
        assertThat(worker.outputTail(9)).singleElement().asString().contains(script.toString());
    }

    @Test
    void nonExecutableFileAndDirectoryAreSpawnExceptions() throws IOException {
        Path text = Files.writeString(directory.resolve("text"), "#!/bin/sh\n");

        for (Path program : List.of(text, directory)) {
            assertThatThrownBy(() -> workers.start(program.toString()))
                    .isInstanceOf(SpawnException.class)
                    .hasMessageContaining("Permission denied");
        }
    }

    /** The JDK searches the program before it creates the environment of the child. */
    @Test
    void programIsSearchedOnThePathOfThisJvm() throws IOException {
        script(directory.resolve("only-here"), "#!/bin/sh\n");
        Map<String, String> otherPath = Map.of("PATH", directory.toString());

        assertThatThrownBy(() ->
                        workers.start(new ProcessSpec("w", List.of("only-here"), otherPath, Optional.of(directory))))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("No such file or directory");
        WorkerProcess worker =
                workers.start(new ProcessSpec("w", List.of("sh", "-c", "echo $PATH"), otherPath, Optional.empty()));
        workers.eventuallyExited(worker);
        assertThat(worker.outputTail(1)).containsExactly(directory.toString());
    }

    @Test
    void withoutSetsidTheCommandIsUnchangedAndLoggedOnce() {
        OwnSession none = new OwnSession(ProgramSearch.in(Optional.of("/bin")), Optional.empty());

        assertThat(none.command(spec("w", "sh", "-c", ":"))).containsExactly("sh", "-c", ":");
        assertThat(none.command(spec("w", "sh"))).containsExactly("sh");

        assertThat(logged.said(Level.INFO))
                .containsExactly(
                        "setsid not found: workers run in the session of this JVM and receive signals sent to its"
                                + " process group");
    }

    private List<String> printedOf(List<String> command, List<String> arguments) {
        List<String> whole = new ArrayList<>(command);
        whole.addAll(arguments);
        WorkerProcess worker = workers.start(new ProcessSpec("w", whole, Map.of(), Optional.empty()));
        workers.eventuallyExited(worker);
        return worker.outputTail(100);
    }

    private static Path script(Path file, String text) throws IOException {
        return Files.setPosixFilePermissions(
                Files.writeString(file, text), PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static long sessionOf(ProcessIdentity process) {
        return field(process, 6);
    }

    private static long groupOf(ProcessIdentity process) {
        return field(process, 5);
    }

    /** By its number in proc(5). */
    private static long field(ProcessIdentity process, int number) {
        try {
            String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
            return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[number - 3]);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
