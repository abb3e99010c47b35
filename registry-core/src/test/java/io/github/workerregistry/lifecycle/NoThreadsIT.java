package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.ChildJvm;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

@EnabledOnOs(OS.LINUX)
@ExtendWith(UnexpectedWarnings.class)
class NoThreadsIT {

    private static final String KIB_OF_ADDRESS_SPACE = "4000000";

    /** Regression: the JDK creates its timer's thread on first use, and the shutdown failed in its first line. */
    @Test
    void aShutdownStopsWorkersIfNoThreadCanBeCreated() throws Exception {
        List<String> jvm = new ArrayList<>(ChildJvm.command(NoThreadsMain.class));
        jvm.addAll(
                1,
                List.of(
                        "-Xss64m",
                        "-XX:CompressedClassSpaceSize=64m",
                        "-XX:ReservedCodeCacheSize=32m",
                        "-XX:+UseSerialGC"));
        List<String> command =
                new ArrayList<>(List.of("sh", "-c", "ulimit -v \"$0\" && exec \"$@\"", KIB_OF_ADDRESS_SPACE));
        command.addAll(jvm);
        Process hive = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            List<String> said = hive.inputReader().lines().toList();

            assertThat(said)
                    .anyMatch(line -> line.startsWith("threads until there were no more: "))
                    .contains("ShutdownReport[workers=1, drained=0, exited=0, killed=1, unkillable=0]");
            assertThat(hive.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(hive.exitValue()).isZero();
        } finally {
            hive.destroyForcibly().waitFor();
        }
    }
}
