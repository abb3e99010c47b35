package io.github.workerregistry.examples.http;

import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.impl.ConnectionBase;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
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

    /**
     * The use of a connection. Written on its event loop, read by the timer. A pipelined request begins before the one
     * before it has ended.
     */
    static final class Use {

        private final AtomicInteger requests = new AtomicInteger();
        private volatile long since = System.nanoTime();

        void begin() {
            requests.incrementAndGet();
        }

        void end() {
            since = System.nanoTime();
            requests.decrementAndGet();
        }

        private boolean isOver(long now, Duration unused) {
            return requests.get() == 0 && now - since > unused.toNanos();
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

    /**
     * Resets a connection at once. {@link HttpConnection#close} waits until its client has read all that was written.
     */
    static void cut(HttpConnection connection) {
        if (connection instanceof ConnectionBase base) {
            try {
                base.channel().config().setOption(ChannelOption.SO_LINGER, 0);
                base.channelHandlerContext().close();
            } catch (ChannelException e) {
                log.debug("a connection was closed already: {}", e.toString());
            }
        } else {
            connection.close();
        }
    }

    /** Usually a client that has disconnected. */
    void failed(Throwable failure) {
        log.debug("a connection failed: {}", ForeignText.sanitised(failure));
    }

    private void closeUnused() {
        long now = System.nanoTime();
        open.forEach((connection, use) -> {
            if (use.isOver(now, bounds.arrival().multipliedBy(2))) {
                cut(connection); // its client does not read the last response
            } else if (use.isOver(now, bounds.arrival())) {
                connection.close();
            }
        });
    }
}
