package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Cases of the occupancy word that the public API cannot reach at will: its limits, and a read between two writes. */
@ExtendWith(UnexpectedWarnings.class)
class OccupancyTest {

    @Test
    void slotCountAtItsLimitDoesNotChangeOtherFields() {
        WorkerInfo huge = idle("w", Integer.MAX_VALUE);
        long word = Occupancy.of(
                huge.toBuilder().state(BUSY).slotsInUse(Integer.MAX_VALUE - 1).build(), false, 7L << 38);

        long full = acquire(word, Integer.MAX_VALUE);

        assertThat(Occupancy.inUse(full)).isEqualTo(Integer.MAX_VALUE);
        assertThat(Occupancy.stamp(full)).isEqualTo(7);
        assertThat(Occupancy.isReported(full)).isFalse();
        assertThat(Occupancy.canAcquire(full, Integer.MAX_VALUE)).isFalse();
        assertThat(Occupancy.clearUsed(Occupancy.release(full))).isEqualTo(word);
    }

    @Test
    void watchEndsWithTheLastSlotAndSurvivesTransitionsUntilThen() {
        long one = Occupancy.watched(acquire(Occupancy.of(idle("w", 2), false, 5L << 38), 2));
        WorkerInfo stopping =
                idle("w", 2).toBuilder().state(STOPPING).slotsInUse(1).build();

        assertThat(Occupancy.endsWatch(one)).isFalse();
        assertThat(Occupancy.stamp(one)).isEqualTo(5);
        assertThat(Occupancy.endsWatch(Occupancy.release(Occupancy.of(stopping, false, one))))
                .isTrue();
        assertThat(Occupancy.endsWatch(Occupancy.release(Occupancy.unwatched(one))))
                .isFalse();
        assertThat(Occupancy.of(idle("w", 2), false, one)).isEqualTo(Occupancy.of(idle("w", 2), false, 5L << 38));
    }

    @Test
    void acquireAndReleaseSetTheUsedMarkOnly() {
        long word = Occupancy.of(idle("w", 2), false, 0);

        assertThat(Occupancy.isUsed(word)).isFalse();
        assertThat(Occupancy.isUsed(acquire(word, 2))).isTrue();
        assertThat(Occupancy.isUsed(Occupancy.release(Occupancy.clearUsed(acquire(word, 2)))))
                .isTrue();
        assertThat(Occupancy.clearUsed(Occupancy.release(acquire(word, 2)))).isEqualTo(word);
    }

    @Test
    void stampOfASingleSlotIdentifiesItsLease() {
        long first = acquire(Occupancy.of(idle("w", 1), false, 0), 1);
        long second = acquire(Occupancy.release(first), 1);

        assertThat(Occupancy.isHeldUnder(first, Occupancy.stamp(first))).isTrue();
        assertThat(Occupancy.isHeldUnder(Occupancy.release(first), Occupancy.stamp(first)))
                .isFalse();
        assertThat(Occupancy.isHeldUnder(second, Occupancy.stamp(first))).isFalse();
    }

    @Test
    void stampWrapsAroundWithoutChangingOtherFields() {
        long last = Occupancy.of(idle("w", 1), false, Occupancy.checked(-1L));

        long next = acquire(last, 1);

        assertThat(Occupancy.stamp(next)).isZero();
        assertThat(Occupancy.clearUsed(Occupancy.release(next))).isEqualTo(Occupancy.of(idle("w", 1), false, 0));
    }

    @Test
    void checkBlocksAcquisitionAndChangesNothingElse() {
        long two = acquire(acquire(Occupancy.of(idle("w", 3), false, 5L << 38), 3), 3);

        long failed = Occupancy.releaseFailed(two);

        assertThat(Occupancy.isChecking(two)).isFalse();
        assertThat(Occupancy.isChecking(failed)).isTrue();
        assertThat(Occupancy.canAcquire(failed, 3)).isFalse();
        assertThat(Occupancy.inUse(failed)).isEqualTo(1);
        assertThat(Occupancy.isHeldUnder(failed, Occupancy.stamp(two))).isTrue();
        assertThat(Occupancy.isReadable(failed)).isTrue();
        assertThat(Occupancy.checked(failed)).isEqualTo(Occupancy.release(two));
        assertThat(Occupancy.isChecking(Occupancy.release(failed)))
                .as("also when idle")
                .isTrue();
        assertThat(Occupancy.isAtRest(Occupancy.clearUsed(Occupancy.release(failed))))
                .isFalse();
    }

    /** The hive may report an occupancy during a check; only another process needs no check. */
    @Test
    void transitionKeepsTheCheckAndRestartEndsIt() {
        long checking = Occupancy.releaseFailed(acquire(Occupancy.of(idle("w", 2), false, 0), 2));

        long stopping = Occupancy.of(worker("w").state(STOPPING).build(), false, checking);

        assertThat(Occupancy.isChecking(stopping)).isTrue();
        assertThat(Occupancy.isChecking(Occupancy.restamp(Occupancy.checked(stopping))))
                .isFalse();
    }

    @Test
    void removedWordMatchesNoLeaseAndCannotBeAcquired() {
        long acquired = acquire(Occupancy.of(idle("w", 2), false, 0), 2);

        assertThat(Occupancy.isHeldUnder(Occupancy.REMOVED, Occupancy.stamp(acquired)))
                .isFalse();
        assertThat(Occupancy.canAcquire(Occupancy.REMOVED, 2)).isFalse();
        assertThat(Occupancy.isReadable(Occupancy.REMOVED)).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.REMOVED)).isFalse();
    }

    /**
     * Leases may change the word between the writes of a transition. No reader may take the old value for the new one.
     */
    @Test
    void movingWordIsUnreadableWhateverLeasesDo() {
        long idle = Occupancy.of(idle("w", 2), false, 0);
        long moving = Occupancy.moving(idle);

        assertThat(Occupancy.canAcquire(moving, 2)).isTrue();
        assertThat(Occupancy.isReadable(moving)).isFalse();
        assertThat(Occupancy.isReadable(acquire(moving, 2))).isFalse();
        assertThat(Occupancy.isReadable(Occupancy.release(acquire(moving, 2)))).isFalse();
        assertThat(Occupancy.isAtRest(moving)).isFalse();
        assertThat(Occupancy.moved(moving)).isEqualTo(idle);
        assertThat(Occupancy.isReadable(idle)).isTrue();
    }

    @Test
    void workerIsAtRestOnlyIfItIsIdleAndUnusedSinceTheLastRead() {
        long idle = Occupancy.of(idle("w", 2), false, 0);

        assertThat(Occupancy.isAtRest(idle)).isTrue();
        assertThat(Occupancy.isAtRest(Occupancy.restamp(idle))).isTrue();
        assertThat(Occupancy.isAtRest(acquire(idle, 2))).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.clearUsed(acquire(idle, 2)))).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.release(acquire(idle, 2)))).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.clearUsed(Occupancy.release(acquire(idle, 2)))))
                .isTrue();
        assertThat(Occupancy.isAtRest(Occupancy.of(loading("w"), false, 0))).isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.of(worker("w").state(STOPPING).build(), false, 0)))
                .isFalse();
        assertThat(Occupancy.isAtRest(Occupancy.of(worker("w").state(BUSY).build(), true, 0)))
                .isFalse();
    }

    private static long acquire(long word, int slots) {
        return Occupancy.acquire(word, Occupancy.acquireDelta(slots));
    }
}
