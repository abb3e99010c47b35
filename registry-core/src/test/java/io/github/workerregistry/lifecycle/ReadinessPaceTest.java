package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When a loading worker is probed. */
@ExtendWith(UnexpectedWarnings.class)
class ReadinessPaceTest {

    /**
     * A gap of two ticks at least, so that output read at the second tick and written after the first is no echo of a
     * probe.
     */
    @ParameterizedTest(name = "ready interval {0} ms, tick {1} ms, answered after {2} ms")
    @CsvSource({
        "1, 100, 0",
        "50, 10, 0",
        "50, 10, 30",
        "50, 10, 10000",
        "50, 100, 0",
        "50, 100, 30",
        "50, 100, 150",
        "50, 1000, 30",
        "50, 5000, 10000",
        "100, 100, 99",
        "250, 100, 0",
        "250, 100, 30",
        "250, 100, 900",
        "250, 100, 10000",
        "250, 300, 10000",
        "1000, 100, 3999",
        "3000, 100, 30",
    })
    void probesAreSeparatedByAGapAndStillInTime(long readyInterval, long tickMillis, long answerAfter) {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        Duration slowest = Duration.ofMillis(4 * readyInterval);
        Duration tick = Duration.ofMillis(tickMillis);
        Duration least = Duration.ofMillis(200);
        ProbedLoad load = new ProbedLoad(
                VirtualHive.config()
                        .readyInterval(Duration.ofMillis(readyInterval))
                        .tickInterval(tick)
                        .build(),
                Duration.ofMillis(answerAfter),
                Optional.empty());

        load.advance(Duration.ofSeconds(100));

        List<ProbedLoad.Window> probes = load.windows();
        assertThat(probes).hasSizeGreaterThan(5);
        for (int i = 3; i < probes.size(); i++) {
            Duration gap =
                    Duration.between(probes.get(i - 1).closed(), probes.get(i).opened());
            Duration most = (slowest.compareTo(least.plus(tick)) > 0 ? slowest : least.plus(tick)).plus(tick);
            assertThat(gap)
                    .isGreaterThanOrEqualTo(least)
                    .isGreaterThanOrEqualTo(slowest)
                    .isLessThanOrEqualTo(most);
        }
    }
}
