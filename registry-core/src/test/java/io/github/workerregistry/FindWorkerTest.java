package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.testing.VirtualTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Queries for idle workers, and for a worker of a node and model. */
@ExtendWith(UnexpectedWarnings.class)
class FindWorkerTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().node("gpu-1").clock(time).build();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    @Test
    void findIdleWorkerReturnsTheFirstIdleWorkerOfTheModel() {
        registry.register(loading("loading"));
        registry.register(idle("busy", 2));
        registry.register(idle("other", 1).toBuilder().modelRef("other").build());
        registry.register(idle("first", 1));
        registry.register(idle("second", 1));
        registry.tryAcquireFrom("busy");

        assertThat(registry.findIdleWorker(MODEL)).map(WorkerInfo::id).contains("first");
        assertThat(registry.findIdleWorker("other")).map(WorkerInfo::id).contains("other");
        assertThat(registry.findIdleWorker("unknown")).isEmpty();
    }

    @Test
    void findIdleWorkerAcquiresNoSlot() {
        registry.register(idle("w", 1));

        assertThat(registry.findIdleWorker(MODEL)).contains(idle("w", 1));
        assertThat(registry.findIdleWorker(MODEL)).contains(idle("w", 1));
    }

    @Test
    void idleWorkersAreThoseOfAnyModelInOrder() {
        registry.register(idle("b", 1));
        registry.register(loading("loading"));
        registry.register(idle("a", 1).toBuilder().modelRef("other").build());
        registry.register(idle("busy", 2));
        registry.tryAcquireFrom("busy");

        assertThat(registry.idleWorkers()).extracting(WorkerInfo::id).containsExactly("b", "a");
    }

    @Test
    void findByNodeAndModelPrefersTheWorkerThatCanServeSoonest() {
        registry.register(loading("stopping"));
        registry.updateState("stopping", STOPPING);
        registry.register(loading("backing off"));
        registry.updateState("backing off", backingOff(now("backing off")));
        assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).isEmpty();

        registry.register(loading("loading"));
        assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).contains(now("loading"));

        registry.register(idle("full", 1));
        registry.tryAcquireFrom("full");
        assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).contains(now("full"));

        registry.register(idle("partly free", 2));
        registry.tryAcquireFrom("partly free");
        assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).contains(now("partly free"));

        registry.register(idle("idle", 1));
        registry.register(idle("idle too", 1));
        assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).contains(now("idle"));
    }

    @Test
    void findByNodeAndModelFindsNoWorkerOfAnotherNodeOrModel() {
        registry.register(idle("w", 1));

        assertThat(registry.findByNodeAndModel("gpu-2", MODEL)).isEmpty();
        assertThat(registry.findByNodeAndModel("gpu-1", "other")).isEmpty();
        assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).isPresent();
    }
}
