package io.github.workerregistry;

import static io.github.workerregistry.AcquireFixture.register;
import static io.github.workerregistry.AcquireFixture.worker;
import static io.github.workerregistry.WaitingCaller.LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Callers that wait with a filter, and filters that fail or call the registry. */
@ExtendWith(UnexpectedWarnings.class)
class AcquireFilteredTest {

    @RegisterExtension
    final AcquireFixture fixture = new AcquireFixture();

    private final WorkerRegistry registry = WorkerRegistry.create();

    private Incarnation incarnation(String id) {
        return registry.get(id).orElseThrow().incarnation();
    }

    @Test
    void waiterThatDoesNotAcceptASlotLetsTheNextPass() throws Exception {
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        registry.register(worker("gpu")
                .backend("cuda")
                .state(new Loading(registry.clock().instant()))
                .build());
        WaitingCaller filtered = fixture.waiting(registry, SlotFilter.any().onBackend("cuda"), LONG);
        WaitingCaller behind = fixture.waiting(registry, LONG);

        lease.close();
        assertThat(behind.lease().workerId()).isEqualTo("w");
        assertThat(filtered.result).isNotDone();
        behind.lease().close();
        assertThat(registry.tryAcquire("m")).as("no waiter accepts this slot").isPresent();
        registry.updateState("gpu", new Idle());

        assertThat(filtered.lease().workerId()).isEqualTo("gpu");
    }

    @Test
    void throwingFilterFailsItsOwnCallerOnly() throws Exception {
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        WaitingCaller broken = fixture.waiting(
                registry,
                SlotFilter.any().where(worker -> {
                    throw new IllegalStateException("thrown by the filter");
                }),
                LONG);
        WaitingCaller behind = fixture.waiting(registry, LONG);

        lease.close();

        assertThat(broken.failure()).hasMessage("thrown by the filter");
        assertThat(behind.lease().workerId()).isEqualTo("w");
    }

    @Test
    void filterThatThrowsAtItsSecondCallDoesNotBlockTheNextWaiter() throws Exception {
        register(registry, "w", new Idle());
        SlotLease held = registry.tryAcquire("m").orElseThrow();
        AtomicBoolean called = new AtomicBoolean();
        fixture.waiting(
                registry,
                SlotFilter.any().where(worker -> {
                    if (called.getAndSet(true)) {
                        throw new IllegalStateException("thrown by the filter");
                    }
                    return false;
                }),
                LONG);
        WaitingCaller behind = fixture.waiting(registry, LONG);

        held.close();

        assertThat(behind.lease().workerId()).isEqualTo("w");
    }

    @Test
    void slotReleasedByAFilterIsOfferedToWaiters() throws Exception {
        register(registry, "w", new Idle());
        register(registry, "v", new Idle());
        SlotLease first = registry.tryAcquireFrom("w").orElseThrow();
        SlotLease second = registry.tryAcquireFrom("v").orElseThrow();
        WaitingCaller filtered = fixture.waiting(
                registry,
                SlotFilter.any().where(worker -> {
                    second.close();
                    return worker.id().equals("v");
                }),
                LONG);

        first.close();

        assertThat(filtered.lease().workerId()).isEqualTo("v");
    }

    /** Regression: the lease's close threw the error, and the next waiter was not served. */
    @Test
    void errorOfAFilterFailsItsOwnCallerOnly() throws Exception {
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        WaitingCaller broken = fixture.waiting(
                registry,
                SlotFilter.any().where(worker -> {
                    throw new AssertionError("thrown by the filter");
                }),
                LONG);
        WaitingCaller behind = fixture.waiting(registry, LONG);

        lease.close();

        assertThat(broken.failure()).isInstanceOf(AssertionError.class).hasMessage("thrown by the filter");
        assertThat(behind.lease().workerId()).isEqualTo("w");
    }

    /** Regression: the nested call traversed the wait queue again, and the caller was served twice. */
    @Test
    void filterThatAcquiresASlotFailsItsOwnCallerOnly() throws Exception {
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        WaitingCaller nested = fixture.waiting(
                registry,
                SlotFilter.any().where(worker -> registry.tryAcquire("m").isPresent()),
                LONG);
        WaitingCaller behind = fixture.waiting(registry, LONG);

        lease.close();

        assertThat(nested.failure()).isInstanceOf(IllegalStateException.class).hasMessageContaining("filter");
        assertThat(behind.lease().workerId()).isEqualTo("w");
    }

    /**
     * Regression: a passed check, a heartbeat or a pid did not serve the waiter, though the worker was free throughout.
     */
    @Test
    void changeOfAWorkerServesAWaiterWhoseFilterNowAcceptsIt() throws Exception {
        register(registry, "w", new Idle());
        registry.incrementFailedHealthChecks("w");

        WaitingCaller healthy =
                fixture.waiting(registry, SlotFilter.any().where(worker -> worker.failedHealthChecks() == 0), LONG);
        registry.supervision().checkPassed(incarnation("w"));
        healthy.lease().close();

        WaitingCaller alive = fixture.waiting(
                registry,
                SlotFilter.any().where(worker -> worker.lastHeartbeat().isPresent()),
                LONG);
        registry.heartbeat("w");
        alive.lease().close();

        WaitingCaller started = fixture.waiting(
                registry, SlotFilter.any().where(worker -> worker.pid().isPresent()), LONG);
        registry.supervision().started(incarnation("w"), 4711);
        started.lease().close();

        WaitingCaller failing =
                fixture.waiting(registry, SlotFilter.any().where(worker -> worker.failedHealthChecks() > 0), LONG);
        registry.incrementFailedHealthChecks("w");
        failing.lease().close();
    }

    /** Regression: each call tested every worker against every waiter's filter. */
    @Test
    void acquireAndReleaseTestFewWorkersAgainstTheFiltersOfWaiters() throws Exception {
        register(registry, "w", new Idle());
        SlotLease held = registry.tryAcquire("m").orElseThrow();
        AtomicInteger tests = new AtomicInteger();
        WaitingCaller filtered = fixture.waiting(
                registry,
                SlotFilter.any().where(worker -> {
                    tests.incrementAndGet();
                    return worker.id().equals("w");
                }),
                LONG);
        for (int i = 0; i < 1000; i++) {
            register(registry, "v" + i, new Idle());
        }
        tests.set(0);

        registry.tryAcquire("m").orElseThrow().close();

        assertThat(tests.get()).isLessThan(10);
        held.close();
        assertThat(filtered.lease().workerId()).isEqualTo("w");
    }
}
