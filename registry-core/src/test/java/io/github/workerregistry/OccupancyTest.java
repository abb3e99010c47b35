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
        WorkerInfo huge = idle("w", Integer.MAX_VALUE);
        long word = Occupancy.of(
                huge.toBuilder().state(BUSY).slotsInUse(Integer.MAX_VALUE - 1).build(), false, 7L << 37);

        long full = take(word, Integer.MAX_VALUE);

        assertThat(Occupancy.inUse(full)).isEqualTo(Integer.MAX_VALUE);
        assertThat(Occupancy.stamp(full)).isEqualTo(7);
        assertThat(Occupancy.isReported(full)).isFalse();
        assertThat(Occupancy.canTake(full, Integer.MAX_VALUE)).isFalse();
        assertThat(Occupancy.clearUsed(Occupancy.give(full))).isEqualTo(word);
    }

    @Test
    void takingAndGivingMarksTheWordAndNothingElse() {
        long word = Occupancy.of(idle("w", 2), false, 0);

        assertThat(Occupancy.isUsed(word)).isFalse();
        assertThat(Occupancy.isUsed(take(word, 2))).isTrue();
        assertThat(Occupancy.isUsed(Occupancy.give(Occupancy.clearUsed(take(word, 2)))))
                .isTrue();
        assertThat(Occupancy.clearUsed(Occupancy.give(take(word, 2)))).isEqualTo(word);
    }

    @Test
    void theWordOfAWorkerWithOneSlotNamesTheLeaseThatHoldsIt() {
        long first = take(Occupancy.of(idle("w", 1), false, 0), 1);
        long second = take(Occupancy.give(first), 1);

        assertThat(Occupancy.isHeldUnder(first, Occupancy.stamp(first))).isTrue();
        assertThat(Occupancy.isHeldUnder(Occupancy.give(first), Occupancy.stamp(first)))
                .isFalse();
        assertThat(Occupancy.isHeldUnder(second, Occupancy.stamp(first))).isFalse();
    }

    @Test
    void theStampOfTheLastLeaseIsFollowedByThatOfTheFirstAndItsNeighboursDoNotNotice() {
        long last = Occupancy.of(idle("w", 1), false, Occupancy.checked(-1L));

        long next = take(last, 1);

        assertThat(Occupancy.stamp(next)).isZero();
        assertThat(Occupancy.clearUsed(Occupancy.give(next))).isEqualTo(Occupancy.of(idle("w", 1), false, 0));
    }

    @Test
    void aWordThatIsCheckedGivesNoSlotAndIsTheSameInEverythingElse() {
        long two = take(take(Occupancy.of(idle("w", 3), false, 5L << 37), 3), 3);

        long failed = Occupancy.giveFailed(two);

        assertThat(Occupancy.isChecking(two)).isFalse();
        assertThat(Occupancy.isChecking(failed)).isTrue();
        assertThat(Occupancy.canTake(failed, 3)).isFalse();
        assertThat(Occupancy.inUse(failed)).isEqualTo(1);
        assertThat(Occupancy.isHeldUnder(failed, Occupancy.stamp(two))).isTrue();
        assertThat(Occupancy.isReadable(failed)).isTrue();
        assertThat(Occupancy.checked(failed)).isEqualTo(Occupancy.give(two));
        assertThat(Occupancy.isChecking(Occupancy.give(failed)))
                .as("also when idle")
                .isTrue();
        assertThat(Occupancy.isAtRest(Occupancy.clearUsed(Occupancy.give(failed))))
                .isFalse();
    }

    /** The host may report an occupancy meanwhile; only another process needs no check. */
    @Test
    void aCheckLastsOverATransitionAndNotOverARestart() {
        long checking = Occupancy.giveFailed(take(Occupancy.of(idle("w", 2), false, 0), 2));

        long stopping = Occupancy.of(worker("w").state(STOPPING).build(), false, checking);

        assertThat(Occupancy.isChecking(stopping)).isTrue();
        assertThat(Occupancy.isChecking(Occupancy.restamp(Occupancy.checked(stopping))))
                .isFalse();
    }

    @Test
    void aGoneWordFitsNoLeaseAndGivesNone() {
        long taken = take(Occupancy.of(idle("w", 2), false, 0), 2);

        assertThat(Occupancy.isHeldUnder(Occupancy.GONE, Occupancy.stamp(taken)))
                .isFalse();
        assertThat(Occupancy.canTake(Occupancy.GONE, 2)).isFalse();
        assertThat(Occupancy.isReadable(Occupancy.GONE)).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.GONE)).isFalse();
    }

    /**
     * Leases may move the word between the writes of a transition. No reader may take the old value for the new one.
     */
    @Test
    void aMovingWordTellsOfNoValueWhateverLeasesDoToIt() {
        long idle = Occupancy.of(idle("w", 2), false, 0);
        long moving = Occupancy.moving(idle);

        assertThat(Occupancy.canTake(moving, 2)).isTrue();
        assertThat(Occupancy.isReadable(moving)).isFalse();
        assertThat(Occupancy.isReadable(take(moving, 2))).isFalse();
        assertThat(Occupancy.isReadable(Occupancy.give(take(moving, 2)))).isFalse();
        assertThat(Occupancy.isAtRest(moving)).isFalse();
        assertThat(Occupancy.moved(moving)).isEqualTo(idle);
        assertThat(Occupancy.isReadable(idle)).isTrue();
    }

    @Test
    void aWorkerIsAtRestOnlyIfItIsIdleAndHasNotBeenUsedSinceTheLastLook() {
        long idle = Occupancy.of(idle("w", 2), false, 0);

        assertThat(Occupancy.isAtRest(idle)).isTrue();
        assertThat(Occupancy.isAtRest(Occupancy.restamp(idle))).isTrue();
        assertThat(Occupancy.isAtRest(take(idle, 2))).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.clearUsed(take(idle, 2)))).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.give(take(idle, 2)))).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.clearUsed(Occupancy.give(take(idle, 2)))))
                .isTrue();
        assertThat(Occupancy.isAtRest(Occupancy.of(loading("w"), false, 0))).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.of(worker("w").state(STOPPING).build(), false, 0)))
                .isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.of(worker("w").state(BUSY).build(), true, 0)))
                .isFalse();
    }

    private static long take(long word, int slots) {
        return Occupancy.take(word, Occupancy.takingOneOf(slots));
    }
}
