package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class SlicedPassTest {

    private static final List<Integer> ITEMS =
            IntStream.rangeClosed(1, 10).boxed().toList();

    private Instant now = Instant.EPOCH;
    private final SlicedPass<Integer> pass = new SlicedPass<>(() -> now);
    private final List<Integer> visited = new ArrayList<>();

    private void run(Duration each) {
        pass.run(ITEMS, item -> {
            visited.add(item);
            now = now.plus(each);
        });
    }

    @Test
    void fastVisitsTakeOneSlice() {
        run(SlicedPass.SLICE.dividedBy(10));

        assertThat(visited).isEqualTo(ITEMS);
        assertThat(pass.isUnfinished()).isFalse();
    }

    @Test
    void slowVisitsAreContinuedWhereTheSliceEnded() {
        run(SlicedPass.SLICE.dividedBy(4));
        assertThat(visited).containsExactly(1, 2, 3, 4);
        assertThat(pass.isUnfinished()).isTrue();

        run(SlicedPass.SLICE.dividedBy(4));
        run(SlicedPass.SLICE.dividedBy(4));

        assertThat(visited).isEqualTo(ITEMS);
        assertThat(pass.isUnfinished()).isFalse();
    }

    /** A slow machine makes progress, too. */
    @Test
    void eachSliceVisitsOneAtLeast() {
        run(SlicedPass.SLICE.multipliedBy(10));
        run(SlicedPass.SLICE.multipliedBy(10));

        assertThat(visited).containsExactly(1, 2);
    }

    @Test
    void theNextPassBeginsWithTheFirst() {
        run(Duration.ZERO);
        run(Duration.ZERO);

        assertThat(visited).hasSize(20).startsWith(1, 2).endsWith(9, 10);
    }

    @Test
    void aVisitThatThrowsEndsThePass() {
        try {
            pass.run(ITEMS, item -> {
                throw new IllegalStateException("visit of " + item);
            });
        } catch (IllegalStateException e) {
            visited.add(0);
        }

        run(Duration.ZERO);

        assertThat(visited).startsWith(0, 1).hasSize(11);
    }
}
