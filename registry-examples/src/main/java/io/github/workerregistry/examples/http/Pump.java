package io.github.workerregistry.examples.http;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.ReadStream;
import io.vertx.core.streams.WriteStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Copies a stream, piece by piece. A sink that is slow stops the source; a source or a sink that stands still for too
 * long is an error. Does not end the sink.
 */
final class Pump {

    /** Nothing moved for too long. */
    static final class StallException extends Exception {

        private static final long serialVersionUID = 1L;

        private final boolean sink;

        private StallException(boolean sink) {
            super(sink ? "the receiver is too slow" : "nothing came for too long");
            this.sink = sink;
        }

        /** Whether the sink did not take a piece, or else the source did not send one. */
        boolean isOfSink() {
            return sink;
        }
    }

    private final Vertx vertx;
    private final ReadStream<Buffer> source;
    private final WriteStream<Buffer> sink;
    private final long sourceNanos;
    private final long sinkNanos;
    private long left;
    private final Promise<Void> done = Promise.promise();
    private long last = System.nanoTime();
    private long timer;
    private boolean full;

    Pump(
            Vertx vertx,
            ReadStream<Buffer> source,
            Duration betweenPieces,
            WriteStream<Buffer> sink,
            Duration stall,
            long most) {
        this.left = most;
        this.vertx = vertx;
        this.source = source;
        this.sourceNanos = betweenPieces.toNanos();
        this.sink = sink;
        this.sinkNanos = stall.toNanos();
    }

    /** Starts; the source is paused before. Completes when the source has ended, or with the reason why it has not. */
    Future<Void> start() {
        source.exceptionHandler(done::tryFail);
        source.endHandler(unused -> done.tryComplete());
        source.handler(this::piece);
        watch(Math.min(sourceNanos, sinkNanos));
        source.resume();
        return done.future().onComplete(unused -> vertx.cancelTimer(timer));
    }

    private void piece(Buffer piece) {
        if (done.future().isComplete()) {
            return;
        }
        last = System.nanoTime();
        left -= piece.length();
        if (left < 0) {
            done.tryFail(new Refusal(413, "body_too_large", "the body is too large"));
            return;
        }
        sink.write(piece);
        if (sink.writeQueueFull()) {
            full = true;
            source.pause();
            sink.drainHandler(unused -> drained());
        }
    }

    private void drained() {
        if (full) {
            full = false;
            last = System.nanoTime();
            source.resume();
        }
    }

    private void watch(long nanos) {
        timer = vertx.setTimer(TimeUnit.NANOSECONDS.toMillis(nanos) + 1, unused -> look());
    }

    private void look() {
        if (done.future().isComplete()) {
            return;
        }
        long left = (full ? sinkNanos : sourceNanos) - (System.nanoTime() - last);
        if (left > 0) {
            watch(left);
        } else {
            done.tryFail(new StallException(full));
        }
    }
}
