package io.github.workerregistry;

import static io.github.workerregistry.FailedLeaseFixture.LONG;
import static io.github.workerregistry.FailedLeaseFixture.endOf;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.LeaseEnd.Released;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several checkers of failed leases, and checkers that fail. */
@ExtendWith(UnexpectedWarnings.class)
class LeaseCheckerTest {

    @RegisterExtension
    final FailedLeaseFixture fixture = new FailedLeaseFixture();

    private final WorkerRegistry registry = fixture.registry;
    private final IOException failure = fixture.failure;
    private final List<FailedLease> checked = fixture.checked;

    @Test
    void checkersAreCalledInOrderUntilOneChecks() {
        List<String> called = new ArrayList<>();
        registry.supervision().registerLeaseChecker(lease -> {
            called.add("declines");
            return Optional.empty();
        });
        registry.supervision().registerLeaseChecker(lease -> {
            called.add("checks");
            return Optional.of(Duration.ofNanos(1));
        });
        fixture.registerLeaseChecker();
        registry.register(idle("w", 1));
        fixture.acquireFrom("w").fail(failure);

        assertThat(called).containsExactly("declines", "checks");
        assertThat(checked).isEmpty();
    }

    @Test
    void checkersThatDriveTheWorkerAreCalledFirst() {
        fixture.registerLeaseChecker();
        List<String> called = new ArrayList<>();
        registry.supervision().registerLeaseChecker(new LeaseChecker() {
            @Override
            public boolean drives(WorkerInfo worker) {
                return worker.id().equals("w");
            }

            @Override
            public Optional<Duration> check(FailedLease lease) {
                called.add(lease.worker().id());
                return Optional.of(Duration.ofNanos(1));
            }
        });
        registry.register(idle("w", 1));
        registry.register(idle("v", 1));

        fixture.acquireFrom("w").fail(failure);
        fixture.acquireFrom("v").fail(failure);

        assertThat(called).containsExactly("w");
        assertThat(checked).extracting(lease -> lease.worker().id()).containsExactly("v");
    }

    @Test
    void leaseIsReleasedIfNoCheckerChecks() {
        registry.supervision().registerLeaseChecker(lease -> Optional.empty());
        registry.supervision().registerLeaseChecker(lease -> Optional.of(Duration.ZERO));
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");
        lease.fail(failure);

        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(endOf(lease)).isCompletedWithValue(new Released());
    }

    @Test
    void failureOfACheckerIsLoggedAndTheLeaseIsReleased() {
        UnexpectedWarnings.expect(LeaseCheckCoordinator.class, Level.WARN, "worker w");
        registry.supervision().registerLeaseChecker(lease -> {
            throw new AssertionError("no\nforged");
        });
        registry.supervision().registerLeaseChecker(lease -> null);
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");

        lease.fail(failure);

        assertThat(registry.tryAcquire(MODEL)).isPresent();
        assertThat(endOf(lease)).isCompletedWithValue(new Released());
    }

    @Test
    void checkerWithAClosedRegistrationIsNotCalled() {
        List<FailedLease> called = new ArrayList<>();
        LeaseChecker checker = lease -> {
            called.add(lease);
            return Optional.empty();
        };
        Subscription first = registry.supervision().registerLeaseChecker(checker);
        Subscription second = registry.supervision().registerLeaseChecker(checker);
        registry.register(idle("w", 1));

        first.close();
        first.close();
        fixture.acquireFrom("w").fail(failure);
        assertThat(called).hasSize(1);
        second.close();
        fixture.acquireFrom("w").fail(failure);

        assertThat(called).hasSize(1);
    }

    /** Regression: the second lease was the last to fail, and its release ended the check of the first. */
    @Test
    void uncheckedSecondLeaseDoesNotEndTheCheckOfTheFirst() {
        registry.supervision().registerLeaseChecker(lease -> {
            checked.add(lease);
            return checked.size() == 1 ? Optional.of(LONG) : Optional.empty();
        });
        registry.register(idle("w", 2));
        SlotLease first = fixture.acquireFrom("w");
        SlotLease second = fixture.acquireFrom("w");
        first.fail(failure);
        second.fail(failure);

        assertThat(endOf(second)).isCompletedWithValue(new Released());
        assertThat(endOf(first)).isNotDone();
        assertThat(registry.tryAcquire(MODEL)).isEmpty();
        assertThat(checked.get(0).resume()).isTrue();
        assertThat(registry.tryAcquire(MODEL)).isPresent();
    }

    /** A checker is called without a lock. */
    @Test
    void checkerMayCallTheRegistry() {
        registry.supervision().registerLeaseChecker(lease -> {
            registry.supervision().remove(crash(lease.worker()));
            return Optional.of(LONG);
        });
        registry.register(idle("w", 1));
        SlotLease lease = fixture.acquireFrom("w");
        lease.fail(failure);

        assertThat(registry.list()).isEmpty();
        assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
    }
}
