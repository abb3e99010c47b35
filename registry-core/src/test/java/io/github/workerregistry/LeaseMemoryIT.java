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
        assertThat(said(LeasingMain.class)).isEqualTo("out of memory 18 times, 0 slots in use");
    }

    /** Whoever could not be told that the line is full stayed in it, and was given the next slot for good. */
    @Test
    void noSlotIsLostWhenThereIsNoMemoryToTurnSomebodyAway() throws Exception {
        assertThat(said(TurningAwayMain.class)).isEqualTo("out of memory: true, slots lost: 0");
    }

    private String said(Class<?> main) throws Exception {
        Path output = directory.resolve("out");
        List<String> command = ChildJvm.command(main);
        command.replaceAll(option -> option.startsWith("-Xmx") ? "-Xmx8m" : option);
        command.addAll(1, List.of("-XX:+UseSerialGC", "-XX:-UseTLAB")); // so that the heap is filled to the last word
        Process jvm = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(jvm.waitFor(1, TimeUnit.MINUTES)).isTrue();
        } finally {
            jvm.destroyForcibly().waitFor();
        }
        return Files.readString(output).strip();
    }
}
