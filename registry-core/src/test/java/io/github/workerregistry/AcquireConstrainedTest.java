package io.github.workerregistry;

import static io.github.workerregistry.AcquireFixture.register;
import static io.github.workerregistry.AcquireFixture.worker;
import static io.github.workerregistry.WaitingCaller.LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Callers whose request only some workers of the model can serve. */
@ExtendWith(UnexpectedWarnings.class)
class AcquireConstrainedTest {

    @RegisterExtension
    final AcquireFixture fixture = new AcquireFixture();

    private final WorkerRegistry registry = WorkerRegistry.create();

    @Test
    void waiterThatDoesNotAcceptASlotLetsTheNextPass() throws Exception {
        register(registry, "w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        registry.register(worker("gpu")
                .backend("cuda")
                .state(new Loading(registry.clock().instant()))
                .build());
        WaitingCaller constrained =
                fixture.waiting(registry, SlotRequest.forModel("m").onBackend("cuda"), LONG);
        WaitingCaller behind = fixture.waiting(registry, LONG);

        lease.close();
        assertThat(behind.lease().workerId()).isEqualTo("w");
        assertThat(constrained.result).isNotDone();
        behind.lease().close();
        assertThat(registry.tryAcquire("m")).as("no waiter accepts this slot").isPresent();
        registry.updateState("gpu", new Idle());

        assertThat(constrained.lease().workerId()).isEqualTo("gpu");
    }
}
