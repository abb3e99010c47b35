package io.github.workerregistry.examples.queen;

import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;

/**
 * The body of an answer that nobody wants. It is read, so that its connection can be used again, unless it is longer
 * than an error is; then the connection is closed.
 */
final class DiscardedAnswer implements BodySubscriber<Void> {

    private static final int LIMIT = 64 * 1024;

    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private Subscription hive;
    private long received;

    @Override
    public CompletionStage<Void> getBody() {
        return end;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        hive = subscription;
        hive.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> pieces) {
        for (ByteBuffer piece : pieces) {
            received += piece.remaining();
        }
        if (received > LIMIT) {
            hive.cancel();
            end.complete(null);
        }
    }

    /** The answer is known by its status; how its body ended is of no interest. */
    @Override
    public void onError(Throwable failure) {
        end.complete(null);
    }

    @Override
    public void onComplete() {
        end.complete(null);
    }
}
