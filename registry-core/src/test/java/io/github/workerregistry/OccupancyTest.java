package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What of the word cannot be reached from outside at will: its far ends, and a reader that comes between two writes.
 */
@ExtendWith(UnexpectedWarnings.class)
class OccupancyTest {

    @Test
    void theWordHasRoomForEverySlotAndItsNeighboursDoNotNotice() {
        WorkerInfo huge = idle("w", Integer.MAX_VALUE).toBuilder().generation(7).build();
        long word = Occupancy.of(
                huge.toBuilder().state(BUSY).slotsInUse(Integer.MAX_VALUE - 1).build(), false);

        long full = Occupancy.take(word);

        assertThat(Occupancy.inUse(full)).isEqualTo(Integer.MAX_VALUE);
        assertThat(Occupancy.generation(full)).isEqualTo(7);
        assertThat(Occupancy.isReported(full)).isFalse();
        assertThat(Occupancy.canTake(full, Integer.MAX_VALUE)).isFalse();
        assertThat(Occupancy.clearUsed(Occupancy.give(full))).isEqualTo(word);
    }

    @Test
    void takingAndGivingMarksTheWordAndNothingElse() {
        long word = Occupancy.of(idle("w", 2), false);

        assertThat(Occupancy.isUsed(word)).isFalse();
        assertThat(Occupancy.isUsed(Occupancy.take(word))).isTrue();
        assertThat(Occupancy.isUsed(Occupancy.give(Occupancy.clearUsed(Occupancy.take(word)))))
                .isTrue();
        assertThat(Occupancy.clearUsed(Occupancy.give(Occupancy.take(word)))).isEqualTo(word);
    }

    @Test
    void aGoneWordFitsNoLeaseAndGivesNone() {
        long gone = Occupancy.gone(Occupancy.take(Occupancy.of(idle("w", 2), false)));

        assertThat(Occupancy.isHeldBy(gone, 1)).isFalse();
        assertThat(Occupancy.isHeldBy(gone, 2)).isFalse();
        assertThat(Occupancy.canTake(gone, 2)).isFalse();
        assertThat(Occupancy.agrees(gone, idle("w", 2))).isFalse();
    }

    /**
     * A look that began while the worker loaded, and ended when it was stopped with a lease open, put together what
     * cannot be, and threw.
     */
    @Test
    void slotsInUseDoNotAgreeWithAWorkerThatCannotHaveAny() {
        long stoppingWithALease =
                Occupancy.of(worker("w").state(STOPPING).slotsInUse(1).build(), false);

        assertThat(Occupancy.agrees(stoppingWithALease, loading("w"))).isFalse();
        assertThat(Occupancy.agrees(
                        stoppingWithALease, worker("w").state(STOPPING).build()))
                .isTrue();
    }
}
