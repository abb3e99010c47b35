package io.github.workerregistry.examples.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** A short fault run with a fixed seed. The long run is a separate command, with a random seed. */
class FaultRunIT {

    @TempDir
    private Path directory;

    @Test
    @Timeout(240)
    @DisabledIfEnvironmentVariable(
            named = "CI",
            matches = "true",
            disabledReason = "CI runs a whole minute, see .ci/run")
    void shortFaultRunPassesAndLeavesNothing() throws Exception {
        Path out = directory.resolve("out");

        int exitCode = run(
                out,
                "--seed=1277567000",
                "--workers=10",
                "--duration=4s",
                "--pace=150ms",
                "--margin=20s",
                "--kill-bound=10s");

        assertThat(exitCode).as(Files.readString(out)).isZero();
        for (FaultKind kind : FaultKind.values()) {
            assertThat(Files.readString(out)).contains(System.lineSeparator() + kind.title());
        }
        assertThat(Files.readAllLines(out)).last().isEqualTo("Every line is as it should be.");
    }

    @Test
    void invalidOptionIsExplained() throws Exception {
        Path out = directory.resolve("out");

        assertThat(run(out, "--workers=3")).isEqualTo(2);
        assertThat(Files.readString(out)).contains("--workers must be at least 10");
    }

    private static int run(Path out, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.util.concurrent.ForkJoinPool.common.parallelism=2",
                "-cp",
                System.getProperty("java.class.path"),
                FaultRun.class.getName()));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        try {
            assertThat(process.waitFor(230, TimeUnit.SECONDS)).isTrue();
            return process.exitValue();
        } finally {
            process.destroy();
        }
    }
}
