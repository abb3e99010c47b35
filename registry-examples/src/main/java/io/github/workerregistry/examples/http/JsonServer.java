package io.github.workerregistry.examples.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
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
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.EagerContentHandler;
import org.eclipse.jetty.server.handler.EagerContentHandler.RetainedContentLoaderFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An HTTP server for JSON that answers every error as {@link ErrorJson}, without a stack trace. */
public final class JsonServer {

    /** For all responses: {@code snake_case}. */
    public static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .build();

    private static final Logger log = LoggerFactory.getLogger(JsonServer.class);

    private final Listening listening;
    private final Javalin javalin;

    /**
     * Creates a server that does not answer yet.
     *
     * @param listening its socket
     * @param routes configures its routes
     */
    public JsonServer(Listening listening, Consumer<RoutesConfig> routes) {
        this.listening = listening;
        this.javalin = Javalin.create(config -> {
            configure(config);
            routes.accept(config.routes);
            errors(config.routes);
        });
    }

    /** Starts answering requests. */
    public void start() {
        javalin.start();
    }

    /** Closes the listening socket; requests in progress continue. */
    public void stopListening() {
        for (Connector connector : javalin.jettyServer().server().getConnectors()) {
            Future<Void> unused = connector.shutdown();
        }
        try {
            listening.socket().close();
        } catch (IOException e) {
            log.debug("the listening socket was not closed", e);
        }
    }

    /** Stops. */
    public void stop() {
        javalin.stop();
    }

    /**
     * For a path that also matches the parameter of another one: answers other methods with 405.
     *
     * @param allowed the only method of the path
     * @return a handler to run before that of the path
     */
    public static Handler only(HandlerType allowed) {
        return ctx -> {
            boolean headOfGet = ctx.method().equals(HandlerType.HEAD) && allowed.equals(HandlerType.GET);
            if (!ctx.method().equals(allowed) && !headOfGet) {
                ctx.header("Allow", allowed.name());
                throw new HttpResponseException(405);
            }
        };
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
            // No thread waits for a slow body; one that is too large is dispatched as soon as that is known.
            server.insertHandler(
                    new EagerContentHandler(new RetainedContentLoaderFactory(RequestBody.LIMIT + 1, -1, false)));
        });
        config.jetty.modifyServletContextHandler(context -> context.setErrorHandler(new JettyErrors()));
    }

    private ServerConnector connector(Server server, HttpConfiguration http) {
        ServerConnector connector = ClientEndPoint.connector(server, http);
        try {
            connector.open(listening.socket());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return connector;
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
            log.warn("a request failed", ForeignText.sanitised(e));
            answer(ctx, 500);
        });
    }

    private static void answer(Context ctx, int status) {
        ctx.status(status).json(ErrorJson.of(status));
    }
}
