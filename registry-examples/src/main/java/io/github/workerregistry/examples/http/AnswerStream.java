package io.github.workerregistry.examples.http;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;

/**
 * Passes a worker's answer on to the client as it comes: status and content type first, then each piece, flushed at
 * once.
 *
 * <p>A piece is asked for when the client's connection has taken the one before, so a slow client slows its worker down
 * and fills no memory. Meanwhile it blocks a thread of the HTTP client's pool, which grows; there are never more of
 * them than leased slots.
 *
 * <p>No Content-Length is passed on: the end of an answer is sent when its slot is free again, so that a client that
 * has seen the end finds the slot.
 */
public final class AnswerStream implements BodyHandler<Void>, BodySubscriber<Void> {

    private final HttpServletResponse response;
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private Subscription worker;

    /**
     * For one answer.
     *
     * @param response where it goes
     */
    public AnswerStream(HttpServletResponse response) {
        this.response = response;
    }

    @Override
    public BodySubscriber<Void> apply(ResponseInfo answer) {
        response.setStatus(answer.statusCode());
        response.setContentType(answer.headers().firstValue("Content-Type").orElse(null));
        return this;
    }

    @Override
    public CompletionStage<Void> getBody() {
        return end;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        worker = subscription;
        pass(List.of());
    }

    @Override
    public void onNext(List<ByteBuffer> pieces) {
        pass(pieces);
    }

    @Override
    public void onError(Throwable failure) {
        end.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        end.complete(null);
    }

    private void pass(List<ByteBuffer> pieces) {
        try {
            OutputStream client = response.getOutputStream();
            for (ByteBuffer piece : pieces) {
                byte[] bytes = new byte[piece.remaining()];
                piece.get(bytes);
                client.write(bytes);
            }
            client.flush();
            worker.request(1);
        } catch (IOException | RuntimeException clientHasGone) {
            worker.cancel();
            end.completeExceptionally(clientHasGone);
        }
    }
}
