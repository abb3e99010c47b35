package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotTimeoutException;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.openjdk.jmh.infra.Blackhole;

/** This library with its defaults. */
final class RegistrySubject implements Subject {

    private static final Duration PATIENCE = Duration.ofSeconds(1); // as for the bag

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final List<SlotLease> held = new ArrayList<>();
    private final boolean waits;

    RegistrySubject(Workload workload, boolean waits) {
        this.waits = waits;
        for (int worker = 0; worker < workload.workers(); worker++) {
            String id = workload.id(worker);
            registry.register(WorkerInfo.builder()
                    .id(id)
                    .url("http://127.0.0.1:8100")
                    .modelRef(workload.model(workload.modelOf(worker)))
                    .state(new Idle())
                    .build());
            if (!workload.isFree(worker)) {
                held.add(registry.tryAcquireFrom(id).orElseThrow());
            }
        }
    }

    @Override
    public Taker taker() {
        return waits ? this::waitAndGive : this::takeAndGive;
    }

    private boolean waitAndGive(String model, Blackhole hole) throws InterruptedException {
        try (SlotLease lease = registry.acquire(model, PATIENCE)) {
            hole.consume(lease);
        } catch (SlotTimeoutException e) {
            return false;
        }
        return true;
    }

    private boolean takeAndGive(String model, Blackhole hole) {
        Optional<SlotLease> taken = registry.tryAcquire(model);
        if (taken.isEmpty()) {
            return false;
        }
        try (SlotLease lease = taken.get()) {
            hole.consume(lease);
        }
        return true;
    }
}
