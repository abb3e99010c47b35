package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A hive without a free file descriptor: nothing can be read and no signal can be sent, and nothing follows from that.
 * A worker counted as gone while it ran, and a signal was lost.
 */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ShortageIT {

    private static final String FEW = "ulimit -n 100; exec \"$@\"";

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a worker that runs",
                "a worker that is terminated",
                "a worker that is killed",
                "a tree that is killed",
                "a worker that ends",
                "a worker that leaves a child",
                "a worker whose identity is not seen",
                "a worker without mark whose identity is not seen",
                "a start",
                "descriptors that come and go",
                "orphans",
                "orphans that are found",
                "a hive that begins amid it",
                "directories of dead hives"
            })
    void withoutFileDescriptorsNothingIsTakenForGoneNorForDone(String what, @TempDir Path directory)
            throws IOException, InterruptedException {
        String hiveId = RealHives.newId();
        Path output = directory.resolve("out");
        List<String> command = new ArrayList<>(List.of("sh", "-c", FEW, "few"));
        command.addAll(ChildJvm.command(ShortageMain.class, what, hiveId, directory.toString()));
        Process hive = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        processes.watch(hive.toHandle());
        try {
            assertThat(hive.waitFor(120, TimeUnit.SECONDS)).as("it has ended").isTrue();
        } finally {
            hive.destroyForcibly().waitFor();
            OrphanReaper.of(hiveId).reap();
        }
        assertThat(Files.readString(output)).isEqualToIgnoringNewLines("ok");
    }
}
