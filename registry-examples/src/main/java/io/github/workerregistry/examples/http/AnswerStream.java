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
 * Streams a worker's response to the client: status and content type first, then each piece, flushed immediately.
 *
 * <p>A piece is requested when the previous one has been written to the client, so a slow client slows down its worker
 * and uses no memory. Meanwhile it blocks a thread of the HTTP client's pool, which grows; at most one thread per
 * leased slot.
 *
 * <p>No Content-Length is forwarded: the end of a response is sent after its slot is released, so that a client that
 * has received the end can acquire the slot.
 */
public final class AnswerStream implements BodyHandler<Void>, BodySubscriber<Void> {

    private final HttpServletResponse response;
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private Subscription worker;

    /**
     * Creates a stream for one response.
     *
     * @param response the response to the client
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
