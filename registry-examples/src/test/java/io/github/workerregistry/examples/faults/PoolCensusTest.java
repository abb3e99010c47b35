package io.github.workerregistry.examples.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

class PoolCensusTest {

    private final String mark = PoolModels.mark(UUID.randomUUID().toString());
    private final PoolCensus census = new PoolCensus(mark);

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void countsMarkedProcessesThatAreAliveAtTheSameTime() throws Exception {
        Process other = start("no-mark");
        Process first = start(mark);
        try {
            awaitMost(1);
            Process second = start(mark);
            awaitMost(2);
            end(second);
            end(start(mark));
            census.run();
        } finally {
            end(first);
            end(other);
        }

        assertThat(census.most()).isEqualTo(2);
        assertThat(census.looks()).isPositive();
    }

    /** Its input ends with this test. */
    private static Process start(String mark) throws IOException {
        return new ProcessBuilder("sh", "-c", "read line", mark).start();
    }

    private static void end(Process process) throws Exception {
        process.getOutputStream().close();
        process.waitFor();
    }

    private void awaitMost(long count) {
        await().until(() -> {
            census.run();
            return census.most() == count;
        });
    }
}
