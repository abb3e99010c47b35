package io.github.workerregistry.process;

import static io.github.workerregistry.process.RealWorkers.spec;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What is passed to a child, and what remains after a failed start or after its exit. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class LocalProcessStartIT {

    @RegisterExtension
    final RealWorkers workers;

    private final Path logs;

    LocalProcessStartIT(@TempDir Path logs) {
        this.logs = logs;
        this.workers = new RealWorkers(logs);
    }

    @Test
    void environmentAndDirectoryArePassedAndTheEnvironmentIsInherited(@TempDir Path directory) throws IOException {
        ProcessSpec spec = new ProcessSpec(
                "w",
                List.of("sh", "-c", "printf '%s\\n' \"$GREETING\" \"$PWD\" \"$PATH\" $SPT_NOENV"),
                Map.of("GREETING", "good day", "WORKER_REGISTRY_MARK", "not yours"),
                Optional.of(directory));

        WorkerProcess process = workers.start(spec);
        workers.eventuallyExited(process);

        assertThat(process.outputTail(9))
                .containsExactly("good day", directory.toRealPath().toString(), System.getenv("PATH"), "1");
    }

    @Test
    void stdinIsEmptyAndStderrIsRecordedToo() {
        WorkerProcess process = workers.shell("cat; echo out; echo err >&2");

        workers.eventuallyExited(process);

        assertThat(process.outputTail(9)).containsExactly("out", "err");
    }

    @Test
    void noStandardStreamIsAPipe() {
        for (LocalProcessController each : List.of(
                workers.controller(),
                LocalProcessController.create(),
                LocalProcessController.builder().discardOutput().build())) {
            WorkerProcess process = workers.start(each, spec("w", "sleep", "600"));
            for (int fd = 0; fd <= 2; fd++) {
                assertThat(RealWorkers.target(process, fd).toString())
                        .startsWith("/")
                        .doesNotContain("pipe");
            }
        }
    }

    @Test
    void failedStartLeavesNothingBehind() throws IOException {
        LocalProcessController temporary = LocalProcessController.create();
        Files.writeString(logs.resolve("old.log"), "kept");

        assertThatThrownBy(() -> workers.controller().start(RealWorkers.unstartable()))
                .isInstanceOf(SpawnException.class)
                .hasCauseInstanceOf(IOException.class);
        assertThatThrownBy(() -> workers.controller().start(spec("old", "/no/such/program")))
                .isInstanceOf(SpawnException.class);
        WorkerProcess neighbour = workers.start(temporary, spec("w", "sleep", "600"));
        Path directory = RealWorkers.target(neighbour, 1).getParent();
        assertThatThrownBy(() -> temporary.start(RealWorkers.unstartable())).isInstanceOf(SpawnException.class);

        assertThat(logs).isDirectoryNotContaining(file -> !file.endsWith("old.log"));
        assertThat(logs.resolve("old.log")).hasContent("kept");
        assertThat(directory).isDirectoryContaining(RealWorkers.target(neighbour, 1)::equals);
        assertThat(filesIn(directory)).hasSize(1);
    }

    /** Regression: the message contained the whole command. */
    @Test
    void tooLongCommandIsRejectedWithAShortMessage() {
        String secret = "TOPSECRET".repeat(20_000);
        Map<String, String> environment = Map.of("API_KEY", "TOPSECRET");
        ProcessSpec spec = new ProcessSpec("w", List.of("sleep", secret), environment, Optional.empty());

        assertThatThrownBy(() -> workers.controller().start(spec))
                .isInstanceOf(SpawnException.class)
                .hasMessageStartingWith("cannot start sleep: ")
                .hasMessageContaining("Argument list too long")
                .satisfies(failure -> assertThat(failure.getMessage()).hasSizeLessThan(200))
                .hasStackTraceContaining("Argument list too long")
                .satisfies(failure -> assertThat(failure.getCause().toString()).doesNotContain("TOPSECRET"));
        assertThat(logs).isEmptyDirectory();
    }

    @Test
    void messageNamesAMissingWorkingDirectory() {
        Path missing = logs.resolve("missing");
        ProcessSpec spec = new ProcessSpec("w", List.of("sleep", "600"), Map.of(), Optional.of(missing));

        assertThatThrownBy(() -> workers.controller().start(spec))
                .isInstanceOf(SpawnException.class)
                .hasMessage("cannot start sleep: working directory " + missing + " does not exist or is no directory");
        assertThat(logs).isEmptyDirectory();
    }

    @Test
    void messageNamesAMissingOutputDirectory() {
        Path missing = logs.resolve("missing");
        LocalProcessController homeless =
                LocalProcessController.builder().outputDirectory(missing).build();

        assertThatThrownBy(() -> homeless.start(spec("w", "sleep", "600")))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("output directory " + missing + " does not exist or is no directory");
        assertThat(logs).isEmptyDirectory();
    }

    @Test
    void messageNamesAnUnwritableOutputFile() throws IOException {
        Path inTheWay = Files.createDirectory(logs.resolve("w.log"));

        assertThatThrownBy(() -> workers.controller().start(spec("w", "sleep", "600")))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining(inTheWay.toString());
        assertThat(inTheWay).isEmptyDirectory();
    }

    @Test
    void environmentIsExactlyThatOfTheSpec() {
        WorkerProcess process = workers.start(new ProcessSpec(
                "w",
                List.of("/usr/bin/env"),
                Map.of("GREETING", "good day"),
                Optional.empty(),
                new InheritedEnvironment(Optional.of(Set.of("PATH", "NOT_THERE")), Set.of())));
        workers.eventuallyExited(process);

        assertThat(process.outputTail(99))
                .filteredOn(line -> !line.startsWith("WORKER_REGISTRY_MARK="))
                .containsExactlyInAnyOrder("GREETING=good day", "PATH=" + System.getenv("PATH"), "SPT_NOENV=1");
    }

    /** The JDK searches the program on the PATH of this JVM. */
    @Test
    void programIsFoundAlthoughNothingIsInherited() {
        WorkerProcess process = workers.start(new ProcessSpec(
                "w",
                List.of("env"),
                Map.of(),
                Optional.empty(),
                new InheritedEnvironment(Optional.of(Set.of()), Set.of())));
        workers.eventuallyExited(process);

        assertThat(process.outputTail(99)).hasSize(2);
    }

    /** The system does not report which argument is too long. */
    @Test
    void messageNamesTheLongestArgumentOrVariable() {
        ProcessSpec argument =
                new ProcessSpec("w", List.of("true", "a", "x".repeat(3 << 20)), Map.of("A", "x"), Optional.empty());
        ProcessSpec variable =
                new ProcessSpec("w", List.of("true", "a"), Map.of("A", "x".repeat(3 << 20)), Optional.empty());

        assertThatThrownBy(() -> workers.controller().start(argument))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("; the longest is argument 2 of the command with 3,145,728 characters");
        assertThatThrownBy(() -> workers.controller().start(variable))
                .isInstanceOf(SpawnException.class)
                .hasMessageEndingWith("; the longest is environment variable A with 3,145,728 characters");
        assertThatThrownBy(() -> workers.controller().start(RealWorkers.unstartable()))
                .hasMessageNotContaining("longest");
        assertThat(logs).isEmptyDirectory();
    }

    /** The JDK forks before it creates its thread for the child. */
    @Test
    void childOfAFailedStartIsKilled() {
        List<ProcessHandle> forked = new ArrayList<>();
        LocalProcessController failing = new LocalProcessController(
                "default", new PersistentOutput(logs, 1_000), OwnSession.ofThisSystem(), builder -> {
                    forked.add(workers.processes().watch(builder.start().toHandle()));
                    throw new OutOfMemoryError("unable to create native thread");
                });

        assertThatThrownBy(() -> failing.start(spec("w", "sleep", "600")))
                .isInstanceOf(SpawnException.class)
                .hasCauseInstanceOf(OutOfMemoryError.class);

        workers.eventually(() -> forked.stream().noneMatch(ProcessHandle::isAlive));
        assertThat(forked).hasSize(1);
        assertThat(logs).isEmptyDirectory();
    }

    @Test
    void temporaryDirectoryIsDeletedWithItsLastFileAndRecreatedOnDemand() {
        LocalProcessController temporary = LocalProcessController.create();
        for (int round = 0; round < 2; round++) {
            WorkerProcess one = workers.start(temporary, spec("w", "sleep", "600"));
            WorkerProcess two = workers.start(temporary, spec("w", "sleep", "600"));
            Path first = RealWorkers.target(one, 1);
            Path second = RealWorkers.target(two, 1);
            assertThat(first).isNotEqualTo(second).hasParent(second.getParent());

            workers.end(one);
            assertThat(first).doesNotExist();
            assertThat(second).exists();
            workers.end(two);
            assertThat(second.getParent()).doesNotExist();
        }
    }

    @Test
    void noFileDescriptorAndNoZombieRemains() throws IOException {
        LocalProcessController temporary = LocalProcessController.create();
        for (int warmUp = 0; warmUp < 3; warmUp++) {
            startAndKill(temporary);
        }
        int before = filesIn(Path.of("/proc/self/fd")).size();

        for (int round = 0; round < 20; round++) {
            startAndKill(temporary);
        }

        await().untilAsserted(
                        () -> assertThat(filesIn(Path.of("/proc/self/fd"))).hasSizeLessThanOrEqualTo(before));
        await().untilAsserted(
                        () -> assertThat(ProcessHandle.current().children().filter(LocalProcessStartIT::isZombie))
                                .isEmpty());
    }

    private void startAndKill(LocalProcessController on) {
        workers.end(workers.start(on, spec("w", "sh", "-c", "sleep 600 & sleep 600")));
        assertThatThrownBy(() -> on.start(RealWorkers.unstartable())).isInstanceOf(SpawnException.class);
    }

    private static List<Path> filesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    private static boolean isZombie(ProcessHandle process) {
        return Proc.stat(process.pid()).value().filter(Proc.Stat::isZombie).isPresent();
    }
}
