package io.github.workerregistry.examples.http;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The live streams of a server: a limited number, which end with it. */
public final class LiveStreams implements AutoCloseable {

    /** Maximum number of concurrent streams. */
    public static final int MOST = 64;

    private final Set<LiveStream> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /** Creates an empty set of streams. */
    public LiveStreams() {}

    /**
     * Begins a stream.
     *
     * @param exchange the request
     * @param type the media type
     * @param heartbeat sent every 15 s; empty for none
     * @return the stream
     * @throws Refusal if there are too many streams
     */
    public LiveStream open(Exchange exchange, String type, String heartbeat) {
        if (closed || open.size() >= MOST) {
            throw Refusal.later("too_many_streams", MOST + " streams are open now");
        }
        LiveStream stream = new LiveStream(exchange, type, heartbeat);
        open.add(stream);
        exchange.onEnd(() -> open.remove(stream));
        if (closed) {
            stream.end();
        }
        return stream;
    }

    /** How many are open. */
    public int count() {
        return open.size();
    }

    /** Ends all streams. */
    @Override
    public void close() {
        closed = true;
        open.forEach(LiveStream::end);
    }
}
