package io.github.workerregistry.examples.queen;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.examples.Program;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The simulation with a small fleet. The figures of a large one are in the README. */
class FleetSimulationIT {

    private final ByteArrayOutputStream report = new ByteArrayOutputStream();
    private final StringWriter errors = new StringWriter();

    @Test
    void smallFleetIsSimulatedAndEveryFigureIsPrinted() {
        int code = run("--hives=3", "--workers=5", "--models=2", "--rate=200", "--duration=100ms", "--connections=2");

        assertThat(code).as(errors.toString()).isZero();
        assertThat(lines().stream().filter(line -> !line.startsWith(" ")).map(line -> line.replaceAll("[\\d,.]+", "#")))
                .satisfiesExactly(
                        line -> assertThat(line)
                                .startsWith(
                                        "# hives of # workers and # models each# over # sessions; # changes a second"),
                        line -> assertThat(line).startsWith("registered: all # workers in the mirror after # s"),
                        line -> assertThat(line).startsWith("a snapshot: # bytes as JSON# # as written (# a worker)"),
                        line -> assertThat(line).startsWith("a route: # ns# the best of # hives that have the model"),
                        line -> assertThat(line).startsWith("mirror lag at # changes a second"),
                        line -> assertThat(line).startsWith("as fast as it goes: # writes a second"),
                        line -> assertThat(line).startsWith("heap: # MB for what the queen knows# # bytes a worker"),
                        line -> assertThat(line).startsWith("on paper"));
        assertThat(report.toString(StandardCharsets.UTF_8))
                .contains("all 15 workers", "best of 3 hives", "on paper, 10,000 hives of 5 workers");
    }

    @Test
    void signalDuringTheSimulationLeavesNoFiles(@TempDir Path directory) throws Exception {
        Program simulation = Program.start(
                FleetSimulation.class, directory, "--hives=3", "--workers=5", "--models=2", "--duration=1m");
        try {
            MatchResult unused = simulation.awaitPrinted(Pattern.compile("a route: "));

            simulation.process().toHandle().destroy();

            assertThat(simulation.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(directory.resolve("tmp")).isEmptyDirectory();
        } finally {
            simulation.process().destroyForcibly();
        }
    }

    @ParameterizedTest
    @CsvSource({"--hives, 0", "--workers, 0", "--models, -1", "--rate, 0", "--connections, 0", "--duration, 0s"})
    void invalidSizeIsRejectedWithTheNameOfTheOption(String option, String value) {
        assertThat(run(option + "=" + value)).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(errors.toString()).contains(option);
        assertThat(lines()).isEmpty();
    }

    /** The leader's network carries 10,000 snapshots of 31,250 bytes per second. */
    @Test
    void capacityOfAnEnsembleIsTheLesserOfItsWritesAndItsNetwork() {
        assertThat(new OnPaper(1000, 31_250, 1 << 20).lines())
                .contains(
                        "    all change all the time: 10,000 hives / 0.2 s = 50,000 writes a second, x 31,250 bytes ="
                                + " 1,563 MB/s",
                        "    the lesser of the two, 10,000 a second, is a write of each hive every 1.0 s:"
                                + " --publish-interval 1000ms",
                        "    in the memory of each server: 10,000 x 31,250 bytes = 312 MB; of each queen: 10,000 MB");
        assertThat(new OnPaper(1, 300, 0).lines())
                .contains("    the lesser of the two, 18,000 a second, is a write of each hive every 0.6 s:"
                        + " --publish-interval 600ms");
    }

    private int run(String... options) {
        return new CommandLine(new FleetSimulation(new PrintStream(report, true, StandardCharsets.UTF_8)))
                .setErr(new PrintWriter(errors, true))
                .execute(options);
    }

    private List<String> lines() {
        return report.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
