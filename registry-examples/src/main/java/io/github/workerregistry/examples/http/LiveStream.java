package io.github.workerregistry.examples.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * A response that goes on until its client disconnects. A piece that the client is too slow for is dropped, so that it
 * costs no more memory than one write queue; a client that reads nothing for 30 s is disconnected. Used on the event
 * loop of its exchange.
 */
public final class LiveStream {

    private static final long STALL_MILLIS = 30_000;
    private static final long HEARTBEAT_MILLIS = 15_000;

    private final Exchange exchange;
    private LongConsumer caughtUp = dropped -> {};
    private long dropped;
    private long stall = -1;

    LiveStream(Exchange exchange, String type, String heartbeat) {
        this.exchange = exchange;
        exchange.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, type)
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("X-Accel-Buffering", "no") // for nginx
                .putHeader("X-Content-Type-Options", "nosniff")
                .setChunked(true)
                .drainHandler(unused -> drained());
        exchange.onEnd(() -> exchange.vertx().cancelTimer(stall));
        if (exchange.request().method().equals(HttpMethod.HEAD)) {
            exchange.response().end();
        } else {
            exchange.response().writeHead();
            if (!heartbeat.isEmpty()) {
                every(HEARTBEAT_MILLIS, () -> write(heartbeat));
            }
        }
    }

    /**
     * Sends a piece; or drops it, if the client is too slow.
     *
     * @param piece the piece
     */
    public void write(String piece) {
        if (exchange.isOver()) {
            return;
        }
        if (!exchange.response().writeQueueFull()) {
            exchange.response().write(piece);
            return;
        }
        dropped++;
        if (stall < 0) {
            stall = exchange.vertx().setTimer(STALL_MILLIS, late -> exchange.cut());
        }
    }

    private void drained() {
        exchange.vertx().cancelTimer(stall);
        stall = -1;
        long lost = dropped;
        dropped = 0;
        if (lost > 0 && !exchange.isOver()) {
            caughtUp.accept(lost);
        }
    }

    /**
     * Sets what happens when the client reads again after pieces were dropped.
     *
     * @param action receives their number
     */
    public void onCaughtUp(LongConsumer action) {
        caughtUp = action;
    }

    /**
     * Repeats a task until the client has disconnected.
     *
     * @param millis the interval
     * @param task the task
     */
    public void every(long millis, Runnable task) {
        long timer = exchange.vertx().setPeriodic(millis, unused -> task.run());
        exchange.onEnd(() -> exchange.vertx().cancelTimer(timer));
    }

    /**
     * Computes something on a thread that may be blocked. If that fails, the connection is reset.
     *
     * @param work the computation
     * @param then receives its result, unless the client has disconnected
     * @param <T> the result
     */
    public <T> void compute(Callable<T> work, Consumer<T> then) {
        exchange.vertx().executeBlocking(work, false).onFailure(exchange::fail).onSuccess(result -> {
            if (!exchange.isOver()) {
                then.accept(result);
            }
        });
    }

    /** Ends the response. On any thread. */
    public void end() {
        exchange.execute(() -> {
            if (!exchange.isOver()) {
                exchange.response().end();
            }
        });
    }
}
