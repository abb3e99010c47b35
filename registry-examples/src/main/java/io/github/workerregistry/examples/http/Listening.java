package io.github.workerregistry.examples.http;

import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * A port that is bound before its server answers: a program whose port is in use fails first, and the real port of
 * {@code --port 0} is known. Until then requests are answered with 503.
 */
public final class Listening {

    /** The backlog of connections. The default is too small for many concurrent clients. */
    private static final int BACKLOG = 1024;

    private static final int MOST_LINE = 8192;

    private final Vertx vertx;
    private final InetAddress address;
    private final Connections connections;
    private final Inflow inflow;
    private final List<HttpServer> servers = new CopyOnWriteArrayList<>();
    private volatile Handler<Exchange> handler =
            exchange -> exchange.fail(Refusal.later("starting", "this program is starting"));

    private Listening(Vertx vertx, InetAddress address, Bounds bounds) {
        this.vertx = vertx;
        this.address = address;
        this.connections = new Connections(vertx, bounds);
        this.inflow = new Inflow(bounds);
    }

    /**
     * Binds a port.
     *
     * @param vertx the event loops; each accepts connections
     * @param host the address to listen on
     * @param port the port; 0 for any free one
     * @param bounds what its clients may hold
     * @return the port
     * @throws IOException if that is not possible; the message says where and why
     */
    public static Listening on(Vertx vertx, String host, int port, Bounds bounds) throws IOException {
        try {
            Listening listening = new Listening(vertx, InetAddress.getByName(host), bounds);
            EventLoops.await(vertx.deployVerticle(
                    () -> listening.new Door(port == 0 ? -1 : port), // -1: the same free port for all
                    new DeploymentOptions().setInstances(EventLoops.count())));
            return listening;
        } catch (ExecutionException e) {
            throw new IOException("cannot listen on " + host + ":" + port + ": " + reason(e.getCause()), e);
        } catch (IOException e) {
            throw new IOException("cannot listen on " + host + ":" + port + ": " + e.getMessage(), e);
        }
    }

    private static String reason(Throwable cause) {
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }

    /** Accepts connections on one event loop. */
    private final class Door extends VerticleBase {

        private final int port;

        Door(int port) {
            this.port = port;
        }

        @Override
        public Future<?> start() {
            HttpServer server = vertx.createHttpServer(new HttpServerOptions()
                            .setHttp2ClearTextEnabled(false)
                            .setAcceptBacklog(BACKLOG)
                            .setMaxInitialLineLength(MOST_LINE)
                            .setMaxHeaderSize(EventLoops.MOST_HEADERS)
                            .setMaxChunkSize(EventLoops.MOST_PIECE))
                    .connectionHandler(connections)
                    .exceptionHandler(connections::failed)
                    .invalidRequestHandler(InvalidHttp::answer)
                    .requestHandler(this::handle);
            servers.add(server);
            return server.listen(port, address.getHostAddress());
        }

        private void handle(HttpServerRequest request) {
            handler.handle(new Exchange(vertx, request, inflow, connections.of(request)));
        }
    }

    /** Answers requests from now on. */
    void answer(Handler<Exchange> requests) {
        handler = requests;
    }

    /**
     * Closes the port. Requests in progress continue.
     *
     * @param patience how long, in milliseconds
     */
    public void close(long patience) {
        servers.forEach(server -> server.shutdown(patience, TimeUnit.MILLISECONDS));
    }

    /** The event loops. */
    Vertx vertx() {
        return vertx;
    }

    /**
     * Where it listens.
     *
     * @return the address, with the real port
     */
    public BoundAddress address() {
        return new BoundAddress(address, servers.get(0).actualPort());
    }
}
