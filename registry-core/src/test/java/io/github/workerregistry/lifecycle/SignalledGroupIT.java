package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static io.github.workerregistry.lifecycle.RealHive.wholeLinesOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ctrl-C: the terminal signals the hive's process group. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class SignalledGroupIT {

    /**
     * Regression: the workers received the signal too, and exited at once; leases were cut off, and the exits counted
     * as crashes.
     */
    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM", "HUP"})
    void anOpenLeaseDrainsIfTheProcessGroupOfTheHiveIsSignalled(String signal, @TempDir Path directory)
            throws IOException, InterruptedException {
        assumeTrue(Files.exists(Path.of("/usr/bin/setsid")), "the hive needs a process group of its own");
        assumeTrue(isHeeded(signal), "this JVM ignores " + signal + ", and so does the hive that it starts");
        Path output = directory.resolve("out");
        List<String> command = new ArrayList<>(List.of("/usr/bin/setsid"));
        command.addAll(ChildJvm.command(LeasingHiveMain.class));
        Process hive = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        long worker = 0;
        try {
            eventually().until(() -> wholeLinesOf(output).stream().anyMatch(line -> line.startsWith("leased ")));
            worker = Long.parseLong(wholeLinesOf(output).get(0).substring("leased ".length()));
            assertThat(isRunning(worker)).isTrue();

            Process kill = new ProcessBuilder("kill", "-s", signal, "--", "-" + hive.pid()).start();
            assertThat(kill.waitFor()).isZero();

            assertThat(hive.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        } finally {
            hive.destroyForcibly().waitFor();
        }
        assertThat(wholeLinesOf(output))
                .containsExactly("leased " + worker, "lease true", "exited SHUTDOWN, signal 15 (requested)");
        assertThat(isRunning(worker)).isFalse();
    }

    /**
     * A JVM that is started with the signal ignored, as by nohup or in the background of a script, does not exit by it.
     */
    private static boolean isHeeded(String signal) throws IOException {
        int number = List.of("", "HUP", "INT").indexOf(signal);
        String ignored = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .map(line -> line.substring("SigIgn:".length()).strip())
                .findFirst()
                .orElseThrow();
        return number < 0 || (Long.parseUnsignedLong(ignored, 16) >> (number - 1) & 1) == 0;
    }
}
