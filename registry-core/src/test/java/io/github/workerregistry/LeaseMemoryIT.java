package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.process.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(UnexpectedWarnings.class)
class LeaseMemoryIT {

    @TempDir
    private Path directory;

    /** A lease that was made after its slot had been taken would lose one each time. */
    @Test
    void noSlotIsLostWhenThereIsNoMemoryForItsLease() throws Exception {
        Path output = directory.resolve("out");
        List<String> command = ChildJvm.command(LeasingMain.class);
        command.replaceAll(option -> option.startsWith("-Xmx") ? "-Xmx8m" : option);
        command.add(1, "-XX:+UseSerialGC");
        Process jvm = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(jvm.waitFor(1, TimeUnit.MINUTES)).isTrue();
        } finally {
            jvm.destroyForcibly().waitFor();
        }

        assertThat(Files.readString(output).strip()).isEqualTo("out of memory 18 times, 0 slots in use");
    }
}
