package io.github.workerregistry;

import static io.github.workerregistry.AcquireFixture.register;
import static io.github.workerregistry.WaitingCaller.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Waiting for a slot, with real threads: order, timeouts, interrupts and the bound of the wait queue. */
@ExtendWith(UnexpectedWarnings.class)
class AcquireTest {

    private static final Duration SHORT = Duration.ofMillis(20);

    @RegisterExtension
    final AcquireFixture fixture = new AcquireFixture();

    private WorkerRegistry registry = WorkerRegistry.create();

    @Test
    void freeSlotIsAcquiredAtOnce() throws InterruptedException {
        register(registry, "w", new Idle());

        assertThat(registry.acquire("m", Duration.ZERO).workerId()).isEqualTo("w");
        assertThatThrownBy(() -> registry.acquire("m", Duration.ZERO))
                .isInstanceOf(SlotTimeoutException.class)
                .hasMessageContaining("no slot of m within PT0S")
                .satisfies(e -> {
                    SlotTimeoutException late = (SlotTimeoutException) e;
                    assertThat(late.modelRef()).isEqualTo("m");
                    assertThat(late.timeout()).isZero();
                });
    }

    @Test
    void waiterAcquiresTheReleasedSlot() throws Exception {
        register(registry, "w", new Idle());
        SlotLease first = registry.tryAcquire("m").orElseThrow();
        WaitingCaller caller = fixture.waiting(registry, LONG);

        first.close();

        assertThat(caller.lease().isValid()).isTrue();
        assertThat(registry.tryAcquire("m")).isEmpty();
    }

    @Test
    void waiterAcquiresASlotOfAWorkerThatBecomesReady() throws Exception {
        register(registry, "w", new Loading(registry.clock().instant()));
        WaitingCaller caller = fixture.waiting(registry, LONG);

        registry.updateState("w", new Idle());

        assertThat(caller.lease().workerId()).isEqualTo("w");
    }

    @Test
    void waiterAcquiresASlotOfAWorkerThatIsRegisteredIdle() throws Exception {
        register(registry, "w", new Loading(registry.clock().instant()));
        WaitingCaller caller = fixture.waiting(registry, LONG);

        register(registry, "v", new Idle());

        assertThat(caller.lease().workerId()).isEqualTo("v");
    }

    @Test
    void waitersAreServedFirstComeFirstServed() throws Exception {
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        List<WaitingCaller> waiters = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            waiters.add(fixture.waiting(registry, LONG));
        }

        for (WaitingCaller next : waiters) {
            assertThat(next.result).isNotDone();
            lease.close();
            lease = next.lease();
        }
    }

    @Test
    void tryAcquireFromAcquiresASlotThatNoWaiterAccepts() throws Exception {
        register(registry, "w", new Idle());
        register(registry, "v", new Loading(registry.clock().instant()));
        fixture.waiting(registry, SlotRequest.forModel("m").excluding("w"), LONG);

        assertThat(registry.tryAcquireFrom("w")).isPresent();
    }

    @Test
    void timedOutWaiterLeavesTheWaitQueue() throws Exception {
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();

        assertThatThrownBy(() -> registry.acquire("m", SHORT)).isInstanceOf(SlotTimeoutException.class);
        WaitingCaller next = fixture.waiting(registry, LONG);
        lease.close();

        assertThat(next.lease().isValid()).isTrue();
    }

    @Test
    void interruptedWaiterLeavesTheWaitQueue() throws Exception {
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        WaitingCaller first = fixture.waiting(registry, LONG);
        WaitingCaller second = fixture.waiting(registry, LONG);

        first.thread.interrupt();

        assertThat(first.failure()).isInstanceOf(InterruptedException.class);
        lease.close();
        assertThat(second.lease().isValid()).isTrue();
    }

    @Test
    void interruptedThreadDoesNotWait() {
        register(registry, "w", new Idle());
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> registry.acquire("m", LONG)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(registry.tryAcquire("m")).isPresent();
    }

    @Test
    void waitQueueIsBounded() throws Exception {
        registry = WorkerRegistry.builder().waitQueueCapacity(2).build();
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        WaitingCaller first = fixture.waiting(registry, LONG);
        WaitingCaller second = fixture.waiting(registry, LONG);

        assertThatThrownBy(() -> registry.acquire("m", LONG))
                .isInstanceOf(SlotQueueFullException.class)
                .hasMessageContaining("2 callers")
                .satisfies(e -> {
                    SlotQueueFullException full = (SlotQueueFullException) e;
                    assertThat(full.modelRef()).isEqualTo("m");
                    assertThat(full.capacity()).isEqualTo(2);
                });
        lease.close();
        first.lease().close();
        assertThat(second.lease().isValid()).isTrue();
    }

    @Test
    void negativeTimeoutIsRefusedAndTheLongestIsAccepted() throws Exception {
        assertThatThrownBy(() -> registry.acquire("m", Duration.ofNanos(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("timeout");
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        WaitingCaller patient = fixture.waiting(registry, Duration.ofSeconds(Long.MAX_VALUE));
        lease.close();
        assertThat(patient.lease().isValid()).isTrue();
        assertThatThrownBy(() -> WorkerRegistry.builder().waitQueueCapacity(-1).build())
                .hasMessageContaining("waitQueueCapacity");
    }
}
