package io.github.workerregistry.examples.http;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections of clients. One without a request in progress is closed after a while: it is unused, or the head of
 * its next request arrives too slowly.
 */
final class Connections implements Handler<HttpConnection> {

    private static final Logger log = LoggerFactory.getLogger(Connections.class);
    private static final long LOOK_MILLIS = 1_000;

    private final Map<HttpConnection, Use> open = new ConcurrentHashMap<>();

    /** The use of a connection. Written on its event loop, read by the timer. */
    static final class Use {

        private volatile boolean inUse;
        private volatile long since = System.nanoTime();

        void begin() {
            inUse = true;
        }

        void end() {
            since = System.nanoTime();
            inUse = false;
        }

        private boolean isOver(long now, Duration unused) {
            return !inUse && now - since > unused.toNanos();
        }
    }

    private final Bounds bounds;

    Connections(Vertx vertx, Bounds bounds) {
        this.bounds = bounds;
        vertx.setPeriodic(LOOK_MILLIS, unused -> closeUnused());
    }

    @Override
    public void handle(HttpConnection connection) {
        if (open.size() >= bounds.connections()) {
            connection.close();
            return;
        }
        open.put(connection, new Use());
        connection.closeHandler(closed -> open.remove(connection));
    }

    /** Called on the event loop of the request. */
    Use of(HttpServerRequest request) {
        return open.getOrDefault(request.connection(), new Use());
    }

    /** Usually a client that has disconnected. */
    void failed(Throwable failure) {
        log.debug("a connection failed: {}", ForeignText.sanitised(failure));
    }

    private void closeUnused() {
        long now = System.nanoTime();
        open.forEach((connection, use) -> {
            if (use.isOver(now, bounds.arrival())) {
                connection.close();
            }
        });
    }
}
