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
 * A hive without a free file descriptor: nothing can be read and no signal can be sent, and nothing is concluded from
 * that. Regression: a running worker counted as exited, and a signal was lost.
 */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class DescriptorShortageIT {

    private static final String FEW = "ulimit -n 100; exec \"$@\"";

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "running worker",
                "terminated worker",
                "killed worker",
                "killed tree",
                "worker that exits",
                "worker that exits and leaves a child",
                "worker with an unreadable identity",
                "worker without mark and with an unreadable identity",
                "killed worker without mark and with an unreadable identity",
                "start",
                "intermittent shortage",
                "orphans",
                "found orphans",
                "start of a hive",
                "directories of dead hives"
            })
    void withoutFileDescriptorsNoExitIsReportedAndNoSignalIsLost(String scenario, @TempDir Path directory)
            throws IOException, InterruptedException {
        String hiveId = RealHives.newId();
        Path output = directory.resolve("out");
        List<String> command = new ArrayList<>(List.of("sh", "-c", FEW, "few"));
        command.addAll(ChildJvm.command(DescriptorShortageMain.class, scenario, hiveId, directory.toString()));
        Process hive = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        processes.watch(hive.toHandle());
        try {
            assertThat(hive.waitFor(120, TimeUnit.SECONDS))
                    .as("the hive has exited")
                    .isTrue();
        } finally {
            hive.destroyForcibly().waitFor();
            OrphanReaper.of(hiveId).reap();
        }
        assertThat(Files.readString(output)).isEqualToIgnoringNewLines("ok");
    }
}
