package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Answer;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.LiveStreams;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.Routes;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.WorkerPool;
import io.vertx.core.http.HttpMethod;
import java.util.Optional;

/** What operators see of the hive, and its endpoints. */
final class HiveView implements AutoCloseable {

    private final ModelsApi models;
    private final Optional<ConfigReload> reload;
    private final Page page = new Page();
    private final HiveMetrics metrics;
    private final LiveStreams streams = new LiveStreams();
    private final EventsApi events;
    private final LogApi logs;

    HiveView(
            WorkerRegistry registry,
            Optional<WorkerPool> pool,
            WorkerSupervisor supervisor,
            ModelsApi models,
            Optional<ConfigReload> reload) {
        this.models = models;
        this.reload = reload;
        metrics = new HiveMetrics(registry, pool, supervisor.access().blockingExecutor());
        events = new EventsApi(registry, pool, supervisor, models, streams);
        logs = new LogApi(registry, supervisor, streams);
    }

    HiveMetrics metrics() {
        return metrics;
    }

    LiveStreams streams() {
        return streams;
    }

    void addTo(Routes routes) {
        routes.get("/", page::index);
        routes.get("/page/{file}", page::file);
        routes.blocking(HttpMethod.GET, "/metrics", metrics::scrape);
        routes.blocking(HttpMethod.POST, "/v1/config/reload", this::reload);
        routes.blocking(HttpMethod.POST, "/v1/models/{model}/load", models::load);
        routes.blocking(HttpMethod.POST, "/v1/models/{model}/unload", models::unload);
        routes.stream("/v1/events", events::open);
        routes.stream("/v1/workers/{id}/log", logs::open);
    }

    private Answer reload(Exchange exchange) {
        return reload.orElseThrow(() -> new Refusal(409, "no_config", "this hive runs without --config"))
                .reload(exchange);
    }

    /** Ends all streams. */
    @Override
    public void close() {
        streams.close();
        metrics.close();
    }
}
