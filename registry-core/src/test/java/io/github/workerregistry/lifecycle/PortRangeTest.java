package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(UnexpectedWarnings.class)
class PortRangeTest {

    @ParameterizedTest
    @CsvSource({"0, 10", "-1, 10", "10, 9", "1, 65536"})
    void boundsOutOfRangeAreRefusedWithTheirValues(int first, int last) {
        assertThatThrownBy(() -> PortRange.of(first, last))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(first + "-" + last);
    }

    @Test
    void theFirstAndTheLastPortOfAllAreTaken() {
        assertThat(PortRange.of(1, 65_535)).hasToString("1-65535");
    }

    @Test
    void aPortThatSomebodyListensOnIsNotGivenOut() throws IOException {
        try (ServerSocket stranger = FreePorts.listen()) {
            PortRange ports = PortRange.of(stranger.getLocalPort(), stranger.getLocalPort());

            assertThatThrownBy(ports::take).isInstanceOf(PortsExhaustedException.class);
        }
    }

    @Test
    void thePortGivenBackLongestAgoComesFirst() {
        PortRange ports = FreePorts.range(3);
        int a = ports.take();
        int b = ports.take();
        ports.giveBack(b);
        ports.giveBack(a);

        int c = ports.take();

        assertThat(c).isNotIn(a, b);
        assertThat(List.of(ports.take(), ports.take())).containsExactly(b, a);
    }

    @Test
    void aPortGivenBackTwiceIsGivenOutOnce() {
        PortRange ports = FreePorts.range(2);
        int a = ports.take();
        ports.giveBack(a);
        ports.giveBack(a);
        ports.giveBack(1);

        assertThat(List.of(ports.take(), ports.take())).doesNotHaveDuplicates();
        assertThatThrownBy(ports::take).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void noTwoCallersGetTheSamePort() throws Exception {
        int size = 32;
        PortRange ports = FreePorts.range(size);
        ExecutorService callers = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Integer>> calls = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                calls.add(ports::take);
            }
            List<Integer> taken = new ArrayList<>();
            for (Future<Integer> port : callers.invokeAll(calls)) {
                taken.add(port.get());
            }
            assertThat(taken).hasSize(size).doesNotHaveDuplicates();
        } finally {
            callers.shutdownNow();
        }
    }
}
