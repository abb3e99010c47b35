package io.github.workerregistry;

import static io.github.workerregistry.FailedLeaseFixture.LONG;
import static io.github.workerregistry.FailedLeaseFixture.endOf;
import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.LeaseEnd.Lost;
import io.github.workerregistry.LeaseEnd.Released;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The check of a worker after a lease has failed. */
@ExtendWith(UnexpectedWarnings.class)
class LeaseCheckTest {

    @RegisterExtension
    final FailedLeaseFixture fixture = new FailedLeaseFixture();

    private final WorkerRegistry registry = fixture.registry;
    private final IOException failure = fixture.failure;
    private final List<FailedLease> checked = fixture.checked;

    /** Regression: the worker was never leased again, because its check had no timer yet. */
    @Test
    void checkThatCannotBeStartedDoesNotBlockTheWorker() {
        registry.supervision().registerLeaseChecker(lease -> {
            throw new AssertionError("broken");
        });
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");

        try (BrokenLog unused = new BrokenLog(LeaseCheckCoordinator.class)) {
            lease.fail(failure);
        }

        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(endOf(lease)).isCompletedWithValue(new Released());
    }

    /** With a security manager, threads of the JDK's own pools keep their context class loader. */
    @Test
    void checkStartsOnAThreadWhoseContextClassLoaderCannotBeSet() throws InterruptedException {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");
        Thread thread = new Thread(() -> lease.fail(failure)) {
            @Override
            public void setContextClassLoader(ClassLoader loader) {
                throw new SecurityException("fixed");
            }
        };

        thread.start();
        thread.join();

        assertThat(registry.tryAcquire(MODEL)).as("the worker is being checked").isEmpty();
        assertThat(checked).hasSize(1);
    }

    /** Each failure needs a probe that began after it. */
    @Test
    void checkPassesOnlyIfNoLeaseHasFailedSince() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 3));
        SlotLease first = fixture.acquireFrom("w");
        SlotLease second = fixture.acquireFrom("w");
        first.fail(failure);
        second.fail(failure);

        assertThat(checked.get(0).resume()).isFalse();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(endOf(first)).isNotDone();

        assertThat(checked.get(1).resume()).isTrue();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(endOf(first)).isCompletedWithValue(new Released());
        assertThat(endOf(second)).isCompletedWithValue(new Released());
    }

    @Test
    void closingAnotherLeaseDoesNotEndTheCheck() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 2));
        SlotLease fails = fixture.acquireFrom("w");
        SlotLease works = fixture.acquireFrom("w");
        fails.fail(failure);
        assertThat(works.isValid()).isTrue();
        works.close();

        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        checked.get(0).resume();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
    }

    /** No other call offers these slots to the waiters. */
    @Test
    void passedCheckGrantsEveryFreeSlotToWaiters() throws Exception {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 3));
        SlotLease fails = fixture.acquireFrom("w");
        SlotLease works = fixture.acquireFrom("w");
        SlotLease stays = fixture.acquireFrom("w");
        List<FutureTask<SlotLease>> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            FutureTask<SlotLease> task = new FutureTask<>(() -> registry.acquire(MODEL, Duration.ofSeconds(30)));
            Thread thread = new Thread(task);
            thread.start();
            await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);
            waiting.add(task);
        }
        fails.fail(failure);
        works.close();
        assertThat(waiting).noneMatch(FutureTask::isDone);

        checked.get(0).resume();

        assertThat(waiting.get(0).get(30, TimeUnit.SECONDS).isValid()).isTrue();
        assertThat(waiting.get(1).get(30, TimeUnit.SECONDS).isValid()).isTrue();
        assertThat(waiting.get(2)).isNotDone();
        stays.close();
        assertThat(waiting.get(2).get(30, TimeUnit.SECONDS).isValid()).isTrue();
    }

    @Test
    void checkEndsWithTheGeneration() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");
        lease.fail(failure);
        fixture.restart("w");

        assertThat(endOf(lease)).isCompletedWithValue(new Lost(Optional.of(crash(idle("w", 1)))));
        SlotLease next = fixture.acquireFrom("w");
        next.fail(failure);
        assertThat(checked.get(0).resume())
                .as("check of the earlier generation")
                .isFalse();
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        checked.get(1).resume();
        assertThat(registry.tryAcquireFrom("w")).isPresent();
    }

    @Test
    void checkDoesNotApplyToASuccessorWithTheSameId() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 1));
        fixture.acquireFrom("w").fail(failure);
        registry.remove("w");
        registry.register(idle("w", 1));

        assertThat(fixture.acquireFrom("w").isValid()).isTrue();
        assertThat(checked.get(0).resume()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void reportedOccupancyDoesNotEndTheCheck(boolean used) {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 2));
        fixture.acquireFrom("w").fail(failure);
        if (used) {
            registry.updateState("w", BUSY);
        }
        registry.updateState("w", IDLE);

        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        checked.get(0).resume();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
    }

    @Test
    void restartEndsTheCheck() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 2));
        fixture.acquireFrom("w").fail(failure);
        registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
        fixture.restart("w");

        assertThat(registry.tryAcquire(MODEL)).isPresent();
    }

    /** The supervisor's scheduler may be blocked or shut down. */
    @Test
    void checkWithoutAnAnswerEndsAfterItsTimeout() {
        registry.supervision().registerLeaseChecker(lease -> Optional.of(Duration.ofMillis(50)));
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");
        lease.fail(failure);
        assertThat(registry.tryAcquire(MODEL)).isEmpty();

        await().atMost(Duration.ofSeconds(30))
                .until(() -> registry.tryAcquire(MODEL).isPresent());
        assertThat(lease.lostWithin(Duration.ofSeconds(30))).isFalse();
        assertThat(endOf(lease)).isCompletedWithValue(new Released());
    }

    @Test
    void slotsAreGrantedToWaitersAfterTheTimeoutOfACheck() throws Exception {
        registry.supervision().registerLeaseChecker(lease -> Optional.of(Duration.ofNanos(1)));
        registry.register(idle("w", 1));
        fixture.acquireFrom("w").fail(failure);

        assertThat(registry.acquire(MODEL, Duration.ofSeconds(30)).isValid()).isTrue();
    }

    @Test
    void checkMayPassBeforeTheCheckerReturns() {
        registry.supervision().registerLeaseChecker(lease -> {
            assertThat(lease.resume()).isTrue();
            return Optional.of(LONG);
        });
        registry.register(idle("w", 1));
        fixture.acquireFrom("w").fail(failure);

        assertThat(registry.tryAcquire(MODEL)).isPresent();
    }

    @Test
    void checkMayHaveTheLongestTimeout() {
        registry.supervision().registerLeaseChecker(lease -> {
            checked.add(lease);
            return Optional.of(Duration.ofSeconds(Long.MAX_VALUE));
        });
        registry.register(idle("w", 1));
        fixture.acquireFrom("w").fail(failure);

        assertThat(registry.tryAcquire(MODEL)).isEmpty();
    }
}
