package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class LiveThreadFinderTest {

    private static final Reading<Proc.Stat> ALIVE = stat(1_000);
    private static final Reading<Proc.Stat> ENDING = stat(0);

    @Test
    void firstThreadWithMemoryIsFound() {
        assertThat(find(Map.of("1", ENDING, "2", ALIVE, "3", ALIVE), Reading.read(List.of("1", "2", "3"))))
                .isEqualTo(Reading.read("2"));
    }

    /** As while the memory of a large process is freed, which takes long. Regression: it made every search unsure. */
    @Test
    void processWithOnlyEndingThreadsHasExited() {
        Reading<List<String>> both = Reading.read(List.of("1", "2"));

        assertThat(find(Map.of("1", ENDING, "2", ENDING), both, both)).isEqualTo(Reading.absent());
        assertThat(find(Map.of("1", ENDING, "2", ENDING), both, Reading.read(List.of("2"))))
                .isEqualTo(Reading.absent());
        assertThat(find(Map.of("1", ENDING, "2", ENDING), both, Reading.absent()))
                .isEqualTo(Reading.absent());
        assertThat(find(Map.of(), Reading.absent())).isEqualTo(Reading.absent());
    }

    @Test
    void threadStartedByAnEndingOneMayBeAlive() {
        Reading<List<String>> next = Reading.read(List.of("1", "3"));

        assertThat(find(Map.of("1", ENDING), Reading.read(List.of("1")), next)).isEqualTo(Reading.failed());
        assertThat(find(Map.of("1", ENDING, "2", Reading.absent()), Reading.read(List.of("1", "2")), next))
                .isEqualTo(Reading.failed());
    }

    @Test
    void unreadableThreadMayBeAlive() {
        Reading<List<String>> one = Reading.read(List.of("1"));

        assertThat(find(Map.of("1", Reading.failed()), one, one)).isEqualTo(Reading.failed());
        assertThat(find(Map.of("1", ENDING), one, Reading.failed())).isEqualTo(Reading.failed());
        assertThat(find(Map.of(), Reading.failed())).isEqualTo(Reading.failed());
    }

    @SafeVarargs
    @SuppressWarnings("varargs")
    private static Reading<String> find(Map<String, Reading<Proc.Stat>> stats, Reading<List<String>>... lists) {
        Deque<Reading<List<String>>> next = new ArrayDeque<>(List.of(lists));
        return LiveThreadFinder.among(next::remove, stats::get);
    }

    private static Reading<Proc.Stat> stat(long memory) {
        return Reading.read(new Proc.Stat('S', 1, 2, 1, memory, 0, 0));
    }
}
