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

    /** Regression: a lease object that was created after its slot was acquired lost the slot. */
    @Test
    void noSlotIsLostWithoutMemoryForItsLease() throws Exception {
        assertThat(output(LeasingMain.class)).isEqualTo("out of memory 18 times, 0 slots in use");
    }

    /**
     * Regression: a caller that found the wait queue full stayed in it if there was no memory for the exception, and
     * the next slot was lost to it.
     */
    @Test
    void noSlotIsLostWithoutMemoryForTheExceptionOfAFullWaitQueue() throws Exception {
        assertThat(output(TurningAwayMain.class)).isEqualTo("out of memory: true, slots lost: 0");
    }

    private String output(Class<?> main) throws Exception {
        Path file = directory.resolve("out");
        List<String> command = ChildJvm.command(main);
        command.replaceAll(option -> option.startsWith("-Xmx") ? "-Xmx8m" : option);
        command.addAll(1, List.of("-XX:+UseSerialGC", "-XX:-UseTLAB")); // so that every word of the heap can be filled
        Process jvm = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(file.toFile())
                .start();
        try {
            assertThat(jvm.waitFor(1, TimeUnit.MINUTES)).isTrue();
        } finally {
            jvm.destroyForcibly().waitFor();
        }
        return Files.readString(file).strip();
    }
}
