package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A worker runs the same program that the JDK would start, and fails to start if the JDK would. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ProgramSearchIT {

    /** Each has its own exit code. */
    private static final Map<String, String> FILES = Map.of(
            "here", "#!/bin/sh\nexit 11\n",
            "bin/there", "#!/bin/sh\nexit 12\n",
            "bin/both", "#!/bin/sh\nexit 13\n",
            "other/both", "#!/bin/sh\nexit 14\n",
            "bin/-c", "#!/bin/sh\nexit 16\n",
            "bin/plain", "exit 17\n");

    private static final List<String> PROGRAMS = List.of(
            "here",
            "./here",
            "there",
            "bin/there",
            "bin//there",
            "bin/../bin/there",
            "both",
            "-c",
            "plain",
            "hidden",
            "bin/hidden",
            "folder",
            "bin",
            "bin/",
            "true",
            "/bin/true",
            "nowhere",
            "./nowhere",
            "here/x",
            " here",
            "here ",
            "*");

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    @ParameterizedTest
    @CsvSource({
        "bin, 9", // relative to the worker's directory
        "bin:other, 9",
        "other:bin, 9",
        "bin/:/bin, 10",
        "/no/such/directory:bin, 9",
        "here:bin, 9", // not a directory
        ":, 6",
        "'', 6",
        ".:bin, 10",
        "/usr/bin:/bin, 6",
    })
    void workerRunsTheProgramThatTheJdkWouldStart(String path, int started, @TempDir Path directory) throws Exception {
        assertThat(differences(Optional.of(path), directory)).containsExactly("started " + started);
    }

    @Test
    void workerRunsThatProgramWithoutAPath(@TempDir Path directory) throws Exception {
        assertThat(differences(Optional.empty(), directory)).containsExactly("started 7");
    }

    private List<String> differences(Optional<String> path, Path directory) throws Exception {
        for (Map.Entry<String, String> file : FILES.entrySet()) {
            Path program = directory.resolve(file.getKey());
            Files.createDirectories(program.getParent());
            Files.writeString(program, file.getValue());
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Files.writeString(directory.resolve("bin/hidden"), "may not be executed");
        Files.createDirectory(directory.resolve("bin/folder"));
        return printedBy(path, directory);
    }

    private List<String> printedBy(Optional<String> path, Path directory) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(directory.toString()));
        arguments.addAll(PROGRAMS);
        ProcessBuilder builder =
                new ProcessBuilder(ChildJvm.command(ProgramSearchMain.class, arguments.toArray(String[]::new)));
        builder.environment().remove("PATH");
        path.ifPresent(value -> builder.environment().put("PATH", value));
        Path output = directory.resolve("output");
        Process jvm = builder.redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        processes.watch(jvm.toHandle());
        assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return Files.readAllLines(output);
    }
}
