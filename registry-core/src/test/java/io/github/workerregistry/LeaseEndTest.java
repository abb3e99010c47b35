package io.github.workerregistry;

import static io.github.workerregistry.FailedLeaseFixture.LONG;
import static io.github.workerregistry.FailedLeaseFixture.endOf;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.LeaseEnd.Lost;
import io.github.workerregistry.LeaseEnd.Released;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a lease ended: {@link SlotLease#whenEnded} and {@link SlotLease#lostWithin}. */
@ExtendWith(UnexpectedWarnings.class)
class LeaseEndTest {

    @RegisterExtension
    final FailedLeaseFixture fixture = new FailedLeaseFixture();

    private final WorkerRegistry registry = fixture.registry;
    private final IOException failure = fixture.failure;

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void closedLeaseEndsAsReleased(int slots) {
        registry.register(idle("w", slots));
        SlotLease lease = fixture.acquireFrom("w");
        CompletableFuture<LeaseEnd> first = endOf(lease);
        CompletableFuture<LeaseEnd> second = endOf(lease);
        assertThat(lease.lostWithin(Duration.ZERO)).isFalse();
        assertThat(first).isNotDone();

        lease.close();

        assertThat(first).isCompletedWithValue(new Released());
        assertThat(second).isCompletedWithValue(new Released());
        registry.supervision().remove(crash(idle("w", slots)));
        assertThat(endOf(lease)).as("the process exited after the release").isCompletedWithValue(new Released());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void leaseOfACrashedWorkerEndsAsLostWithItsExit(int slots) {
        registry.register(idle("w", slots));
        Exit crash = crash(idle("w", slots));
        SlotLease lease = fixture.acquireFrom("w");
        CompletableFuture<LeaseEnd> end = endOf(lease);
        registry.updateState("w", backingOff(idle("w", slots)));

        assertThat(end).isCompletedWithValue(new Lost(Optional.of(crash)));
        assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
        lease.close();
        lease.fail(failure);
        assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
        registry.updateState("w", LOADING);
        registry.updateState("w", IDLE);
        assertThat(endOf(lease)).as("read after the restart").isCompletedWithValue(new Lost(Optional.of(crash)));
        fixture.restart("w");
        assertThat(endOf(lease))
                .as("only the last exit of a worker is kept")
                .isCompletedWithValue(new Lost(Optional.empty()));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void leaseClosedAfterTheCrashEndsAsLost(int slots) {
        registry.register(idle("w", slots));
        SlotLease lease = fixture.acquireFrom("w");
        registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
        assertThat(lease.lostWithin(Duration.ZERO))
                .as("a stopping worker still serves its lease")
                .isFalse();
        registry.updateState("w", backingOff(idle("w", slots)));
        lease.close();

        assertThat(endOf(lease)).isCompletedWithValue(new Lost(Optional.of(crash(idle("w", slots)))));
    }

    @Test
    void leaseOfADeregisteredWorkerIsLostWithoutAnExit() {
        registry.register(idle("w", 2));
        SlotLease lease = fixture.acquireFrom("w");
        CompletableFuture<LeaseEnd> end = endOf(lease);

        registry.clear();

        assertThat(end).isCompletedWithValue(new Lost(Optional.empty()));
    }

    @Test
    void otherWorkersAndLeasesDoNotEndTheLease() {
        registry.register(idle("w", 2));
        registry.register(idle("v", 2));
        SlotLease lease = fixture.acquireFrom("w");
        SlotLease other = fixture.acquireFrom("w");
        CompletableFuture<LeaseEnd> end = endOf(lease);
        CompletableFuture<LeaseEnd> endOfOther = endOf(other);

        registry.remove("v");
        other.close();

        assertThat(end).isNotDone();
        assertThat(endOfOther).isDone();
        lease.close();
    }

    @Test
    void completingTheReturnedStageDoesNotEndTheLease() {
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");

        endOf(lease).complete(new Lost(Optional.empty()));
        endOf(lease).cancel(true);

        assertThat(lease.lostWithin(Duration.ofNanos(1))).isFalse();
        lease.close();
        assertThat(endOf(lease)).isCompletedWithValue(new Released());
    }

    /** Dependent stages are foreign code and may call the registry. */
    @Test
    void dependentStagesRunWithoutALockAndMayFail() {
        registry.register(idle("w", 1));
        registry.register(idle("v", 1));
        SlotLease lease = fixture.acquireFrom("w");
        SlotLease other = fixture.acquireFrom("v");
        AtomicInteger stages = new AtomicInteger();
        lease.whenEnded().thenRun(() -> {
            CompletableFuture.runAsync(() -> registry.register(idle("u", 1))).join();
            registry.remove("v");
            stages.incrementAndGet();
            throw new IllegalStateException("thrown by the test");
        });
        other.whenEnded().thenRun(stages::incrementAndGet);

        registry.remove("w");

        assertThat(stages).hasValue(2);
        assertThat(registry.list()).extracting(WorkerInfo::id).containsExactly("u");
    }

    @Test
    void lostWithinReturnsAfterItsPatienceOrAnInterrupt() {
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");

        assertThat(lease.lostWithin(Duration.ofMillis(5))).isFalse();
        Thread.currentThread().interrupt();
        assertThat(lease.lostWithin(LONG)).isFalse();
        assertThat(Thread.interrupted()).as("the interrupt status is kept").isTrue();
        assertThatThrownBy(() -> lease.lostWithin(Duration.ofNanos(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("patience");
        assertThat(lease.isValid()).isTrue();
    }

    @Test
    void lostWithinReturnsWhenTheWorkerIsRemoved() throws Exception {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");
        lease.fail(failure);
        FutureTask<Boolean> lost = new FutureTask<>(() -> lease.lostWithin(Duration.ofSeconds(Long.MAX_VALUE)));
        Thread thread = new Thread(lost);
        thread.start();
        await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);

        registry.supervision().remove(crash(idle("w", 1)));

        assertThat(lost.get(30, TimeUnit.SECONDS)).isTrue();
    }

    /** A hive may request the end of each lease. */
    @Test
    void settledEndsAreNotRetained() {
        LeaseEndFutures ends = new LeaseEndFutures(WorkerEntry::snapshot);
        registry.register(idle("w", 2));
        for (int i = 0; i < 3; i++) {
            SlotLease lease = fixture.acquireFrom("w");
            CompletableFuture<LeaseEnd> end = ends.of(lease);
            assertThat(ends.size()).isEqualTo(1);
            lease.close();
            ends.settle(lease);
            assertThat(end).isDone();
            assertThat(ends.size()).isZero();
        }
    }

    /** Regression: a change without an effect kept the effects of the next one, whose thread was another. */
    @Test
    void endIsToldByTheThreadThatCausedItAndNotByAnother() throws Exception {
        registry.register(idle("w", 1));
        CompletableFuture<LeaseEnd> end = endOf(fixture.acquireFrom("w"));
        CountDownLatch removed = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        try (ManyThreads threads = new ManyThreads()) {
            Future<Boolean> other = threads.start(() -> {
                registry.supervision().deferEvents(() -> {
                    registry.remove("unknown");
                    removed.countDown();
                    awaitZero(ended);
                });
                return true;
            });
            awaitZero(removed);

            registry.supervision().deferEvents(() -> {
                registry.remove("w");
                ended.countDown();
                assertThat(other).succeedsWithin(Duration.ofSeconds(60));
                assertThat(end).as("this thread's action has not ended").isNotDone();
            });

            assertThat(end).isCompletedWithValue(new Lost(Optional.empty()));
        }
    }

    private static void awaitZero(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
