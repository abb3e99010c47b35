package io.github.workerregistry.examples.http;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Executor;
import org.eclipse.jetty.ee10.servlet.ServletContextRequest;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * A connection that can check whether its client has disconnected.
 *
 * <p>Jetty does not read while a request is being answered, so only a failing write reveals that the client has
 * disconnected, and a worker that sends nothing would keep working. The check tries to read one byte. There is none
 * while the client waits. The end of the stream means that the client has disconnected or has closed its sending half,
 * which nginx treats alike. A received byte begins a pipelined request: it is kept and is the first byte that Jetty
 * reads for that request.
 */
final class ClientEndPoint extends SocketChannelEndPoint {

    private final Executor executor;

    /** What was read before Jetty: nothing, or one byte. Guarded by this. */
    private ByteBuffer ahead = BufferUtil.EMPTY_BUFFER;

    private ClientEndPoint(
            SocketChannel channel, ManagedSelector selector, SelectionKey key, Scheduler scheduler, Executor executor) {
        super(channel, selector, key, scheduler);
        this.executor = executor;
    }

    /** A connector that creates such connections. */
    static ServerConnector connector(Server server, HttpConfiguration http) {
        return new ServerConnector(server, new HttpConnectionFactory(http)) {
            @Override
            protected SocketChannelEndPoint newEndPoint(
                    SocketChannel channel, ManagedSelector selector, SelectionKey key) {
                ClientEndPoint client = new ClientEndPoint(channel, selector, key, getScheduler(), getExecutor());
                client.setIdleTimeout(getIdleTimeout());
                return client;
            }
        };
    }

    /** The connection of a request. */
    static ClientEndPoint of(HttpServletRequest request) {
        return (ClientEndPoint) ServletContextRequest.getServletContextRequest(request)
                .getConnectionMetaData()
                .getConnection()
                .getEndPoint();
    }

    /** Checks without blocking. Only while the request is being answered and has been read completely. */
    synchronized boolean hasGone() {
        if (!isOpen()) {
            return true;
        }
        if (ahead.hasRemaining()) {
            return false;
        }
        ByteBuffer probe = BufferUtil.allocate(1);
        try {
            boolean gone = super.fill(probe) < 0;
            ahead = probe;
            return gone;
        } catch (IOException e) {
            return true;
        }
    }

    /**
     * Resets the connection. To a client that reads until the end of the stream (HTTP/1.0 or {@code Connection:
     * close}), a graceful close would make a partial response look complete.
     */
    void cut() {
        try {
            getChannel().setOption(StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException closedAlready) {
            return;
        }
        close();
    }

    @Override
    public synchronized int fill(ByteBuffer buffer) throws IOException {
        return ahead.hasRemaining() ? BufferUtil.append(buffer, ahead) : super.fill(buffer);
    }

    /** Jetty registers for read readiness, which does not include the byte that was read before. */
    @Override
    protected synchronized void needsFillInterest() {
        if (ahead.hasRemaining()) {
            executor.execute(() -> getFillInterest().fillable());
        } else {
            super.needsFillInterest();
        }
    }
}
