package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.http.Guard;
import io.github.workerregistry.examples.http.JsonServer;
import io.github.workerregistry.examples.http.Listening;
import io.vertx.core.http.HttpMethod;

/** The routes of the queen's HTTP server. */
final class QueenServer {

    private QueenServer() {}

    static JsonServer on(Listening listening, Guard guard, QueenApi api, ExecuteRelay execute) {
        return new JsonServer(listening, guard, routes -> {
            routes.stream("/v1/workers/list", api::list);
            routes.post("/v1/workers/ready", api::ready);
            routes.get("/v1/hives", api::hives);
            routes.get("/v1/route", api::route);
            routes.get("/v1/health", api::health);
            routes.add(HttpMethod.POST, "/v1/execute", execute::handle);
        });
    }
}
