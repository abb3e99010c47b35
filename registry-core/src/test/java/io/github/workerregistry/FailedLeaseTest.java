package io.github.workerregistry;

import static io.github.workerregistry.FailedLeaseFixture.LONG;
import static io.github.workerregistry.FailedLeaseFixture.endOf;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.LeaseEnd.Lost;
import io.github.workerregistry.LeaseEnd.Released;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link SlotLease#fail}: what happens to the lease and its worker. */
@ExtendWith(UnexpectedWarnings.class)
class FailedLeaseTest {

    @RegisterExtension
    final FailedLeaseFixture fixture = new FailedLeaseFixture();

    private final WorkerRegistry registry = fixture.registry;
    private final IOException failure = fixture.failure;
    private final List<FailedLease> checked = fixture.checked;

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void failWithoutACheckerClosesTheLease(int slots) {
        registry.register(idle("w", slots));
        SlotLease lease = fixture.acquireFrom("w");

        lease.fail(failure);

        assertThat(lease.isValid()).isFalse();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(endOf(lease)).isCompletedWithValue(new Released());
        assertThat(lease.lostWithin(LONG)).isFalse();
    }

    /** Regression: the worker whose process had exited was leased again, 74 of 75 times. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void workerIsNotLeasedUntilTheCheckPasses(int slots) {
        fixture.registerLeaseChecker();
        registry.register(idle("w", slots));
        fixture.acquireFrom("w").fail(failure);

        assertThat(registry.get("w").orElseThrow().state()).isEqualTo(IDLE);
        assertThat(registry.get("w").orElseThrow().slotsInUse()).isZero();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(registry.tryAcquire(SlotRequest.forModel(MODEL).excluding("v")))
                .isEmpty();
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        assertThat(registry.findIdleWorker(MODEL)).isEmpty();
        assertThatThrownBy(() -> registry.acquire(MODEL, Duration.ZERO)).isInstanceOf(SlotTimeoutException.class);

        assertThat(checked.get(0).resume()).isTrue();

        assertThat(registry.findIdleWorker(MODEL)).isPresent();
        for (int i = 0; i < slots; i++) {
            assertThat(registry.tryAcquire(MODEL)).isPresent();
        }
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(checked.get(0).resume()).as("the second time").isFalse();
    }

    @Test
    void checkerGetsTheWorkerAndTheCause() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 2));
        SlotLease lease = fixture.acquireFrom("w");

        lease.fail(failure);

        assertThat(checked).singleElement().satisfies(failed -> {
            assertThat(failed.worker().id()).isEqualTo("w");
            assertThat(failed.worker().generation()).isEqualTo(1);
            assertThat(failed.worker().startedAt()).isEqualTo(START);
            assertThat(failed.cause()).isSameAs(failure);
        });
    }

    @Test
    void anotherWorkerIsPreferredDuringACheck() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 2));
        registry.register(idle("v", 2));
        fixture.acquireFrom("w").fail(failure);

        assertThat(registry.tryAcquire(MODEL).orElseThrow().workerId()).isEqualTo("v");
        assertThat(registry.findIdleWorker(MODEL)).isEmpty();
        assertThat(registry.findByNodeAndModel("here", MODEL).orElseThrow().id())
                .isEqualTo("v");
        fixture.acquireFrom("v");
        registry.remove("v");
        assertThat(registry.findByNodeAndModel("here", MODEL).orElseThrow().id())
                .as("no other worker is registered")
                .isEqualTo("w");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void leaseFailsOnceAndIsClosedThen(int slots) {
        fixture.registerLeaseChecker();
        registry.register(idle("w", slots));
        SlotLease lease = fixture.acquireFrom("w");
        lease.fail(failure);

        lease.fail(failure);
        lease.close();
        assertThat(checked).hasSize(1);
        assertThat(lease.isValid()).isFalse();
        checked.get(0).resume();
        SlotLease next = fixture.acquireFrom("w");
        lease.fail(failure);
        lease.close();

        assertThat(checked).hasSize(1);
        assertThat(next.isValid()).isTrue();
        assertThat(registry.get("w").orElseThrow().slotsInUse()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void closedLeaseDoesNotFail(int slots) {
        fixture.registerLeaseChecker();
        registry.register(idle("w", slots));
        SlotLease lease = fixture.acquireFrom("w");
        lease.close();
        SlotLease next = fixture.acquireFrom("w");

        lease.fail(failure);

        assertThat(checked).isEmpty();
        assertThat(next.isValid()).isTrue();
        assertThat(endOf(lease)).isCompletedWithValue(new Released());
    }

    /** A late failure of the crashed generation says nothing about the next one. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void failedLeaseOfAnEarlierGenerationIsNotChecked(int slots) {
        fixture.registerLeaseChecker();
        registry.register(idle("w", slots));
        SlotLease lease = fixture.acquireFrom("w");
        fixture.restart("w");
        SlotLease next = fixture.acquireFrom("w");

        lease.fail(failure);

        assertThat(checked).isEmpty();
        assertThat(next.isValid()).isTrue();
        assertThat(lease.lostWithin(LONG)).isTrue();
    }

    @Test
    void failedLeaseOfARemovedWorkerIsNotChecked() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 2));
        SlotLease lease = fixture.acquireFrom("w");
        registry.supervision().remove(crash(idle("w", 2)));

        lease.fail(failure);

        assertThat(checked).isEmpty();
        assertThat(endOf(lease)).isCompletedWithValue(new Lost(Optional.of(crash(idle("w", 2)))));
    }

    @Test
    void failedLeaseOfAStoppingWorkerIsChecked() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 2));
        SlotLease lease = fixture.acquireFrom("w");
        registry.updateState("w", STOPPING);

        lease.fail(failure);

        assertThat(checked).hasSize(1);
        assertThat(registry.get("w").orElseThrow().slotsInUse()).isZero();
        registry.remove("w");
        assertThat(endOf(lease)).isCompletedWithValue(new Lost(Optional.empty()));
    }

    @Test
    void failedLeaseCountsAsActivity() {
        fixture.registerLeaseChecker();
        registry.register(idle("w", 2));
        WorkerInfo before = registry.get("w").orElseThrow();
        fixture.acquireFrom("w").fail(failure);
        fixture.time.advance(Duration.ofSeconds(1));

        assertThat(registry.supervision().transitionIfUnchanged(before, STOPPING))
                .isEmpty();
        WorkerInfo seen = registry.get("w").orElseThrow();
        assertThat(seen.lastActivity()).isEqualTo(fixture.time.instant());
        assertThat(registry.supervision().transitionIfUnchanged(seen, STOPPING))
                .as("a worker may be stopped during a check")
                .isPresent();
    }

    @Test
    void nullsAreRefused() {
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");

        assertThatThrownBy(() -> lease.fail(null)).hasMessage("cause");
        assertThatThrownBy(() -> lease.lostWithin(null)).hasMessage("patience");
        assertThatThrownBy(() -> registry.supervision().registerLeaseChecker(null))
                .hasMessage("checker");
        assertThat(lease.isValid()).isTrue();
    }
}
