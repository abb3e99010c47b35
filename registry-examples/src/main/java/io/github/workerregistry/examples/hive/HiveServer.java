package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.JsonServer;
import io.github.workerregistry.examples.http.Listening;
import io.javalin.config.RoutesConfig;
import io.javalin.http.HandlerType;

/** The routes of the hive's HTTP server. */
final class HiveServer {

    private HiveServer() {}

    static JsonServer on(Listening listening, WorkerApi workers, ExecuteProxy execute) {
        return new JsonServer(listening, routes -> routes(routes, workers, execute));
    }

    private static void routes(RoutesConfig routes, WorkerApi workers, ExecuteProxy execute) {
        // These three are not ids.
        routes.before("/v1/workers/spawn", JsonServer.only(HandlerType.POST));
        routes.before("/v1/workers/ready", JsonServer.only(HandlerType.POST));
        routes.before("/v1/workers/list", JsonServer.only(HandlerType.GET));
        routes.post("/v1/workers/spawn", workers::spawn);
        routes.post("/v1/workers/ready", workers::ready);
        routes.get("/v1/workers/list", workers::list);
        routes.get("/v1/workers/{id}", workers::get);
        routes.delete("/v1/workers/{id}", workers::delete);
        routes.post("/v1/workers/{id}/restart", workers::restart);
        routes.post("/v1/workers/{id}/heartbeat", workers::heartbeat);
        routes.get("/v1/stats", workers::stats);
        routes.get("/v1/exits", workers::exits);
        routes.get("/v1/health", workers::health);
        routes.post("/v1/execute", execute::handle);
    }
}
