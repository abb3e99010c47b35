package io.github.workerregistry.examples.hive;

import io.github.workerregistry.RegistryStats;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.ProcessUsage;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;

/**
 * What changes without an event: slots in use, requests that wait, states of models, memory. One reading serves all
 * clients for a while.
 */
final class Usage {

    private static final long FRESH_NANOS = Duration.ofMillis(900).toNanos();

    /** A reading. */
    record Reading(
            String type,
            long slotsTotal,
            long slotsInUse,
            int waiting,
            Collection<ModelJson> models,
            List<WorkerUse> workers) {}

    /**
     * A worker.
     *
     * @param residentBytes of all its processes; -1 if it is unknown
     */
    record WorkerUse(String id, String state, int slotsAvailable, long residentBytes) {}

    private final WorkerRegistry registry;
    private final WorkerSupervisor supervisor;
    private final ModelsApi models;
    private Reading last = new Reading("usage", 0, 0, 0, List.of(), List.of());
    private OptionalLong readAt = OptionalLong.empty();

    Usage(WorkerRegistry registry, WorkerSupervisor supervisor, ModelsApi models) {
        this.registry = registry;
        this.supervisor = supervisor;
        this.models = models;
    }

    /** Reads files of the operating system. */
    synchronized Reading read() {
        long now = System.nanoTime();
        if (readAt.isEmpty() || now - readAt.getAsLong() > FRESH_NANOS) {
            RegistryStats stats = registry.stats();
            last = new Reading(
                    "usage",
                    stats.slotsTotal(),
                    stats.slotsInUse(),
                    stats.waiting(),
                    List.copyOf(models.models().values()),
                    registry.list().stream().map(this::use).toList());
            readAt = OptionalLong.of(now);
        }
        return last;
    }

    private WorkerUse use(WorkerInfo worker) {
        return new WorkerUse(
                worker.id(),
                worker.state().label(),
                worker.slotsAvailable(),
                supervisor.usage(worker.id()).map(ProcessUsage::residentBytes).orElse(-1L));
    }
}
