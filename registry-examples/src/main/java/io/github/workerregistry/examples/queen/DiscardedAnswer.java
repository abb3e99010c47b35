package io.github.workerregistry.examples.queen;

import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.TimeUnit;

/**
 * The body of a response that is discarded. No thread waits for it. It is read so that its connection can be reused,
 * unless it is too long or too slow for an error response; then the connection is closed.
 */
final class DiscardedAnswer implements BodySubscriber<Void> {

    private static final int LIMIT = 64 * 1024;
    private static final long PATIENCE_MILLIS = 1_000;

    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private Subscription hive;
    private long received;

    @Override
    public CompletionStage<Void> getBody() {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        hive = subscription;
        end.orTimeout(PATIENCE_MILLIS, TimeUnit.MILLISECONDS).whenComplete((unused, late) -> {
            if (late != null) {
                hive.cancel();
            }
        });
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

    /** Only the status matters; a failure of the body is ignored. */
    @Override
    public void onError(Throwable failure) {
        end.complete(null);
    }

    @Override
    public void onComplete() {
        end.complete(null);
    }
}
