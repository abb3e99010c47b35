package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.LiveStreams;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.WorkerPool;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Server-sent events: a snapshot, then each event of the registry and of the pool, and what is in use. */
final class EventsApi {

    private static final int MOST_EXITS = 20;

    private final WorkerRegistry registry;
    private final Optional<WorkerPool> pool;
    private final WorkerSupervisor supervisor;
    private final Usage usage;
    private final LiveStreams streams;

    EventsApi(
            WorkerRegistry registry,
            Optional<WorkerPool> pool,
            WorkerSupervisor supervisor,
            ModelsApi models,
            LiveStreams streams) {
        this.registry = registry;
        this.pool = pool;
        this.supervisor = supervisor;
        this.usage = new Usage(registry, supervisor, models);
        this.streams = streams;
    }

    void open(Exchange exchange) {
        new EventClient(this, exchange, streams.open(exchange, "text/event-stream", ": alive\n\n"))
                .start(registry, pool);
    }

    Instant now() {
        return registry.clock().instant();
    }

    Usage.Reading usage() {
        return usage.read();
    }

    Map<String, Object> snapshot() {
        Instant now = now();
        List<ExitJson> exits =
                supervisor.recentExits().stream().map(ExitJson::of).toList();
        Map<String, Object> json = EventJson.of("snapshot");
        json.put(
                "workers",
                registry.list().stream()
                        .map(worker -> WorkerJson.of(worker, now))
                        .toList());
        json.put("exits", exits.subList(Math.max(0, exits.size() - MOST_EXITS), exits.size()));
        json.put("usage", usage());
        return json;
    }
}
