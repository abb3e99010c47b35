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
 * A connection that can be asked whether its client has gone.
 *
 * <p>While a request is being answered, Jetty does not read, so only a failing write tells it that nobody listens any
 * more, and a worker that is silent would go on for nobody. To ask is to try to read one byte. There is none as long as
 * the client waits. The end of the stream says that it has gone, or has closed its sending half, which nginx takes for
 * the same. A byte that did come begins the client's next request, sent ahead: it is kept, and is the first that Jetty
 * reads when it comes to that request.
 */
final class ClientEndPoint extends SocketChannelEndPoint {

    private final Executor executor;

    /** What was read ahead of Jetty: nothing, or one byte. Guarded by this. */
    private ByteBuffer ahead = BufferUtil.EMPTY_BUFFER;

    private ClientEndPoint(
            SocketChannel channel, ManagedSelector selector, SelectionKey key, Scheduler scheduler, Executor executor) {
        super(channel, selector, key, scheduler);
        this.executor = executor;
    }

    /** A connector that makes such connections. */
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

    /** The connection that a request came on. */
    static ClientEndPoint of(HttpServletRequest request) {
        return (ClientEndPoint) ServletContextRequest.getServletContextRequest(request)
                .getConnectionMetaData()
                .getConnection()
                .getEndPoint();
    }

    /** Asks; does not block. Only while the request is being answered and has been read to its end. */
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
     * Ends the connection with a reset. To a client that reads until the end of the stream, as one of HTTP/1.0 does or
     * one that says {@code Connection: close}, an end in good order would make half an answer look whole.
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

    /** Jetty wants to be told when there is something to read, and may not know that there is. */
    @Override
    protected synchronized void needsFillInterest() {
        if (ahead.hasRemaining()) {
            executor.execute(() -> getFillInterest().fillable());
        } else {
            super.needsFillInterest();
        }
    }
}
