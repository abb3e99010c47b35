package io.github.workerregistry.examples.hive;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.workerregistry.LogText;
import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.JavalinConfig;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import io.javalin.json.JavalinJackson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ServerSocketChannel;
import java.util.concurrent.Future;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.EagerContentHandler;
import org.eclipse.jetty.server.handler.EagerContentHandler.RetainedContentLoaderFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The HTTP server: which path leads where, and that every error is answered as {@link ErrorJson}. */
final class HiveServer {

    /** For all that is sent: {@code snake_case}. */
    static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .build();

    private static final Logger log = LoggerFactory.getLogger(HiveServer.class);

    private final ServerSocketChannel socket;
    private final Javalin javalin;

    /** A server that will listen on {@code socket}, which is bound already. */
    HiveServer(ServerSocketChannel socket, WorkerApi workers, ExecuteProxy execute) {
        this.socket = socket;
        this.javalin = Javalin.create(config -> {
            configure(config);
            routes(config.routes, workers, execute);
            errors(config.routes);
        });
    }

    void start() {
        javalin.start();
    }

    /** Takes no new connection from now on; requests that are under way go on. */
    void stopListening() {
        for (Connector connector : javalin.jettyServer().server().getConnectors()) {
            Future<Void> unused = connector.shutdown();
        }
        try {
            socket.close();
        } catch (IOException e) {
            log.debug("the listening socket was not closed", e);
        }
    }

    void stop() {
        javalin.stop();
    }

    private void configure(JavalinConfig config) {
        config.startup.showJavalinBanner = false;
        config.startup.startupWatcherEnabled = false;
        config.http.compressionStrategy = CompressionStrategy.NONE;
        config.http.prefer405over404 = true;
        config.jsonMapper(new JavalinJackson(JSON, false));
        config.jetty.addConnector(this::connector);
        config.jetty.modifyServer(server -> {
            server.setErrorHandler(new JettyErrors());
            // No thread waits for a body that comes slowly; one that is too large is handed on as soon as that is
            // known.
            server.insertHandler(
                    new EagerContentHandler(new RetainedContentLoaderFactory(RequestBody.LIMIT + 1, -1, false)));
        });
        config.jetty.modifyServletContextHandler(context -> context.setErrorHandler(new JettyErrors()));
    }

    private ServerConnector connector(Server server, HttpConfiguration http) {
        ServerConnector connector = ClientEndPoint.connector(server, http);
        try {
            connector.open(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return connector;
    }

    private static void routes(RoutesConfig routes, WorkerApi workers, ExecuteProxy execute) {
        // These three are no ids.
        routes.before("/v1/workers/spawn", only(HandlerType.POST));
        routes.before("/v1/workers/ready", only(HandlerType.POST));
        routes.before("/v1/workers/list", only(HandlerType.GET));
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

    private static Handler only(HandlerType allowed) {
        return ctx -> {
            boolean headOfGet = ctx.method().equals(HandlerType.HEAD) && allowed.equals(HandlerType.GET);
            if (!ctx.method().equals(allowed) && !headOfGet) {
                ctx.header("Allow", allowed.name());
                throw new HttpResponseException(405);
            }
        };
    }

    private static void errors(RoutesConfig routes) {
        routes.exception(Refusal.class, (refusal, ctx) -> {
            if (refusal.isPassing()) {
                ctx.header("Retry-After", "1");
            }
            ctx.status(refusal.status()).json(ErrorJson.of(refusal.code(), refusal.getMessage()));
        });
        routes.exception(HttpResponseException.class, (e, ctx) -> {
            String allowed = e.getDetails().get("availableMethods");
            if (allowed != null) {
                ctx.header("Allow", allowed);
            }
            answer(ctx, e.getStatus());
        });
        routes.exception(Exception.class, (e, ctx) -> {
            log.warn("a request failed", LogText.of(e));
            answer(ctx, 500);
        });
    }

    private static void answer(Context ctx, int status) {
        ctx.status(status).json(ErrorJson.of(status));
    }
}
