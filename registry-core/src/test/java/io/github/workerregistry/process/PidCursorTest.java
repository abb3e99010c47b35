package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

@ExtendWith(UnexpectedWarnings.class)
class PidCursorTest {

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    @Test
    void pidsBetweenExcludeTheFirstAndIncludeTheLast() {
        assertThat(PidCursor.between(7, 9)).accepts(8L, 9L).rejects(7L, 10L, 1L);
        assertThat(PidCursor.between(7, 7)).rejects(6L, 7L, 8L);
        assertThat(PidCursor.between(32_760, 310)).accepts(32_761L, 300L, 310L).rejects(32_760L, 311L);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void assignedPidMatches() {
        PidCursor cursor = new PidCursor();
        ProcessHandle started = processes.start("sleep", "600");

        assertThat(cursor.passed()).accepts(started.pid());
        assertThat(cursor.passed())
                .as("the next call, unless other processes are started")
                .rejects(started.pid());
    }
}
