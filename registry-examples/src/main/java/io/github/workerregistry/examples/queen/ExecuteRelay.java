package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.http.AnswerStream;
import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.RequestBody;
import io.javalin.http.Context;
import java.net.ConnectException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends a request to the best hive and streams the response. A hive that rejects the request or refuses the connection
 * is skipped, and the next best one is tried; at most {@value #MOST}. The response header {@value #TRIED} names them.
 * The response of a worker is always forwarded, even an overload error: the worker has received the request.
 *
 * <p>A request is sent again only if the previous hive has certainly not processed it. Once it was sent completely
 * without a response, or a response was started, a failure is reported to the client, also if the hive is lost and will
 * never answer: see {@link UnansweredRequests}.
 */
final class ExecuteRelay {

    /** Lists the tried hives with their outcomes: {@code box1 503, box2 200}. */
    static final String TRIED = "X-Tried";

    private static final Logger log = LoggerFactory.getLogger(ExecuteRelay.class);

    private static final int MOST = 3;

    private final Fleet fleet;
    private final Router router;
    private final Contact contact;
    private final Forwarding forwarding;
    private final UnansweredRequests unanswered;

    ExecuteRelay(Fleet fleet, Router router, Contact contact, Forwarding forwarding, UnansweredRequests unanswered) {
        this.fleet = fleet;
        this.router = router;
        this.contact = contact;
        this.forwarding = forwarding;
        this.unanswered = unanswered;
    }

    void handle(Context ctx) {
        if (Forwarding.hasBeenPassedOn(ctx)) { // a hive published the url of a queen
            throw new Refusal(
                    508, "loop", "this request was already forwarded; a queen accepts requests from clients only");
        }
        byte[] body = RequestBody.json(ctx);
        String modelRef = Fields.parse(body).name("model_ref");
        List<ModelView> candidates = router.best(modelRef, Optional.empty(), MOST);
        ctx.future(() -> new Relayed(ctx, body, modelRef, candidates.iterator()).next());
    }

    /** One request, with its attempts. */
    private final class Relayed {

        private final Context ctx;
        private final byte[] body;
        private final String modelRef;
        private final Iterator<ModelView> candidates;
        private final List<String> tried = new ArrayList<>();
        private int unreachable;

        Relayed(Context ctx, byte[] body, String modelRef, Iterator<ModelView> candidates) {
            this.ctx = ctx;
            this.body = body;
            this.modelRef = modelRef;
            this.candidates = candidates;
        }

        CompletableFuture<Void> next() {
            if (!candidates.hasNext()) {
                throw allRefused();
            }
            ModelView hive = candidates.next();
            Answer answer = new Answer(hive);
            hive.requestBegins();
            CompletableFuture<?> request = forwarding.send(ctx, hive.url(), body, answer);
            unanswered.add(hive, request);
            return request.handle((unused, failure) -> {
                        hive.requestEnds();
                        return failure == null ? answered(hive, answer) : failed(hive, failure);
                    })
                    .thenCompose(Function.identity());
        }

        private CompletableFuture<Void> answered(ModelView hive, Answer answer) {
            contact.answered(hive.node());
            return answer.passedOn ? CompletableFuture.completedFuture(null) : next();
        }

        private CompletableFuture<Void> failed(ModelView hive, Throwable failure) {
            Throwable cause = Forwarding.causeOf(failure);
            if (cause instanceof ConnectException || cause instanceof HttpConnectTimeoutException) {
                if (contact.refused(hive.node())) {
                    log.info(
                            "the hive of node {} at {} refuses connections: {}",
                            hive.node(),
                            hive.url(),
                            cause.toString());
                }
                unreachable++;
                tried(hive, "unreachable");
                return next();
            }
            log.debug("a request to node {} failed", hive.node(), cause);
            if (Forwarding.isUnanswered(ctx)) {
                tried(hive, "failed");
            }
            Forwarding.fail(ctx, new Refusal(502, "hive_failed", "node " + hive.node() + " failed before it answered"));
            return CompletableFuture.completedFuture(null);
        }

        private Refusal allRefused() {
            if (unreachable > 0 && unreachable == tried.size()) {
                return Refusal.later("unreachable", "no hive with this model_ref accepted a connection");
            }
            return fleet.ofModel(modelRef).isEmpty()
                    ? contact.unknown("no_such_model", "no hive has a worker of this model_ref")
                    : Refusal.later("no_free_slot", "no hive has a free slot of this model_ref now");
        }

        private void tried(ModelView hive, String outcome) {
            tried.add(hive.node() + " " + outcome);
            ctx.header(TRIED, String.join(", ", tried));
        }

        /** Decides by the status of a response whether it is forwarded to the client. */
        private final class Answer implements BodyHandler<Void> {

            private final ModelView hive;
            private volatile boolean passedOn;

            Answer(ModelView hive) {
                this.hive = hive;
            }

            @Override
            public BodySubscriber<Void> apply(ResponseInfo answer) {
                Optional<String> worker = answer.headers().firstValue(Forwarding.WORKER_HEADER);
                tried(hive, Integer.toString(answer.statusCode()));
                if (worker.isEmpty() && isRefusal(answer.statusCode())) {
                    return new DiscardedAnswer();
                }
                passedOn = true;
                worker.ifPresent(id -> ctx.header(Forwarding.WORKER_HEADER, id));
                return new AnswerStream(ctx.res()).apply(answer);
            }

            /** The hive has no free slot, or its last worker of this model was removed since its snapshot. */
            private static boolean isRefusal(int status) {
                return status == 503 || status == 404;
            }
        }
    }
}
