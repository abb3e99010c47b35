package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.openjdk.jmh.infra.Blackhole;

/** This library, as a host has it if it sets nothing. */
final class RegistrySubject implements Subject {

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final List<SlotLease> held = new ArrayList<>();

    RegistrySubject(Workload workload) {
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
        return this::takeAndGive;
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
