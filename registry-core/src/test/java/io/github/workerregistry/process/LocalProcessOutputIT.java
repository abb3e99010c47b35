package io.github.workerregistry.process;

import static io.github.workerregistry.process.RealWorkers.spec;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The destination of a worker's output, and how much of it is kept. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class LocalProcessOutputIT {

    @RegisterExtension
    final RealWorkers workers;

    private final Path logs;

    LocalProcessOutputIT(@TempDir Path logs) {
        this.logs = logs;
        this.workers = new RealWorkers(logs);
    }

    @Test
    void floodedOutputStaysBoundedAndTheWorkerKeepsRunning() {
        long limit = 1 << 20;
        LocalProcessController bounded = LocalProcessController.builder()
                .outputDirectory(logs)
                .outputLimit(limit)
                .build();
        WorkerProcess process = workers.start(bounded, spec("flood", "yes", "all work and no play"));

        workers.eventually(() -> process.outputBytes() > 64 * limit);
        assertThat(process.identity().isAlive()).isTrue();
        workers.suspend(process);
        long bytes = process.outputBytes();

        assertThat(logs.resolve("flood.log").toFile().length()).isLessThanOrEqualTo(limit);
        assertThat(process.outputBytes()).isEqualTo(bytes);
        assertThat(process.outputTail(3))
                .containsExactly("all work and no play", "all work and no play", "all work and no play");
    }

    @Test
    void tailIncludesLinesFromBeforeATruncation() throws IOException {
        LocalProcessController bounded = LocalProcessController.builder()
                .outputDirectory(logs)
                .outputLimit(1_000)
                .build();
        Path go = logs.resolve("go");
        WorkerProcess process = workers.start(
                bounded,
                spec(
                        "w",
                        "sh",
                        "-c",
                        "seq 1000; echo before; until [ -e " + go + " ]; do sleep 0.02; done; echo after;"
                                + " exec sleep 600"));
        workers.eventuallyPrinted(process, "before");
        long bytes = process.outputBytes();
        assertThat(bytes).isGreaterThan(1_000);
        assertThat(logs.resolve("w.log")).isEmptyFile();

        Files.createFile(go);
        workers.eventuallyPrinted(process, "after");

        assertThat(process.outputTail(3)).containsExactly("1000", "before", "after");
        assertThat(process.outputBytes()).isEqualTo(bytes + "after\n".length());
        assertThat(logs.resolve("w.log")).hasContent("after\n");
    }

    @Test
    void nextProcessOfAWorkerAppendsToItsFile() {
        for (String word : List.of("first", "second")) {
            WorkerProcess process = workers.start(spec("a/b", "echo", word));
            workers.eventuallyExited(process);
            assertThat(process.outputTail(9)).containsExactly(word);
            assertThat(process.outputBytes()).isEqualTo(word.length() + 1);
            process.release();
        }

        assertThat(logs.resolve(OutputFileName.of("a/b"))).hasContent("first\nsecond\n");
    }

    @Test
    void discardedOutputIsNotRecorded() {
        WorkerProcess process =
                workers.start(LocalProcessController.builder().discardOutput().build(), spec("w", "echo", "unheard"));

        workers.eventuallyExited(process);

        assertThat(process.recordsOutput()).isFalse();
        assertThat(process.outputBytes()).isZero();
        assertThat(process.outputTail(9)).isEmpty();
    }

    @Test
    void inheritedOutputGoesToThatOfThisJvm() throws IOException {
        WorkerProcess process =
                workers.start(LocalProcessController.builder().inheritOutput().build(), spec("w", "sleep", "600"));

        for (int fd = 1; fd <= 2; fd++) {
            assertThat(RealWorkers.target(process, fd))
                    .isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)));
        }
        assertThat(process.recordsOutput()).isFalse();
        assertThat(process.outputBytes()).isZero();
    }
}
