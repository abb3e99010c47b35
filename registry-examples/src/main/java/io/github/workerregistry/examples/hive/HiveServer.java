package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.Guard;
import io.github.workerregistry.examples.http.JsonServer;
import io.github.workerregistry.examples.http.Listening;
import io.github.workerregistry.examples.http.Routes;
import io.vertx.core.http.HttpMethod;

/** The endpoints of the hive's HTTP server. */
final class HiveServer {

    private HiveServer() {}

    static JsonServer on(
            Listening listening, Guard guard, WorkerApi workers, ModelsApi models, ModelRoute others, HiveView view) {
        return new JsonServer(listening, guard, routes -> routes(routes, workers, models, view), others::handle);
    }

    private static void routes(Routes routes, WorkerApi workers, ModelsApi models, HiveView view) {
        view.addTo(routes);
        routes.blocking(HttpMethod.GET, "/v1/models", models::list);
        routes.blocking(HttpMethod.GET, "/v1/models/{model}", models::get);
        routes.post("/v1/workers/spawn", workers::spawn); // these three are not ids
        routes.post("/v1/workers/ready", workers::ready);
        routes.stream("/v1/workers/list", workers::list);
        routes.get("/v1/workers/{id}", workers::get);
        routes.blocking(HttpMethod.DELETE, "/v1/workers/{id}", workers::delete);
        routes.blocking(HttpMethod.POST, "/v1/workers/{id}/restart", workers::restart);
        routes.blocking(HttpMethod.POST, "/v1/workers/{id}/heartbeat", workers::heartbeat);
        routes.get("/v1/stats", workers::stats);
        routes.stream("/v1/exits", workers::exits);
        routes.get("/v1/health", workers::health);
    }
}
