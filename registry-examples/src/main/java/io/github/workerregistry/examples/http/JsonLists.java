package io.github.workerregistry.examples.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lists that are written in pieces, as fast as their clients read them: neither the length of a list nor a slow client
 * costs memory. At most a number of lists are written at once.
 */
public final class JsonLists {

    /** Maximum number of concurrent lists. */
    public static final int MOST = 16;

    private static final int PIECE = 32 * 1024;
    private static final long STALL_MILLIS = 30_000;

    private final AtomicInteger underWay = new AtomicInteger();

    /** Creates an empty set of lists. */
    public JsonLists() {}

    /**
     * Writes a JSON object with one field, a list.
     *
     * @param exchange the request
     * @param field the name of the field
     * @param items what the list has, read on the event loop
     * @throws Refusal if too many lists are being written
     */
    public void write(Exchange exchange, String field, Iterator<?> items) {
        if (underWay.incrementAndGet() > MOST) {
            underWay.decrementAndGet();
            throw Refusal.later("too_many_lists", MOST + " lists are being read now");
        }
        exchange.onEnd(underWay::decrementAndGet);
        exchange.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
        new Writing(exchange, items, "{\"" + field + "\":[").next();
    }

    /** One list. */
    private static final class Writing {

        private final Exchange exchange;
        private final Iterator<?> items;
        private String separator;

        Writing(Exchange exchange, Iterator<?> items, String begin) {
            this.exchange = exchange;
            this.items = items;
            this.separator = begin;
        }

        void next() {
            if (exchange.isOver()) {
                return;
            }
            Buffer piece = Buffer.buffer();
            while (items.hasNext() && piece.length() < PIECE) {
                piece.appendString(separator).appendBuffer(JsonServer.buffer(items.next()));
                separator = ",";
            }
            if (!items.hasNext()) {
                exchange.response().end(piece.appendString(separator.equals(",") ? "]}" : separator + "]}"));
                return;
            }
            if (!exchange.response().headWritten()) {
                exchange.response().setChunked(true);
            }
            exchange.response().write(piece);
            if (exchange.response().writeQueueFull()) {
                awaitClient();
            } else {
                exchange.execute(this::next); // other requests of this event loop are next
            }
        }

        private void awaitClient() {
            long timer = exchange.vertx().setTimer(STALL_MILLIS, late -> exchange.cut());
            exchange.response().drainHandler(unused -> {
                exchange.vertx().cancelTimer(timer);
                exchange.response().drainHandler(null);
                next();
            });
        }
    }
}
