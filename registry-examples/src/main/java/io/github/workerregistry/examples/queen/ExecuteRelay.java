package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.http.Attempt;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.RequestBody;
import io.vertx.core.Future;
import io.vertx.core.http.HttpClientResponse;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    void handle(Exchange exchange) {
        if (Forwarding.hasBeenPassedOn(exchange)) { // a hive published the url of a queen
            throw new Refusal(
                    508, "loop", "this request was already forwarded; a queen accepts requests from clients only");
        }
        RequestBody.json(exchange)
                .compose(
                        body -> relay(exchange, body, Fields.parse(body.bytes()).name("model_ref")))
                .onFailure(exchange::fail);
    }

    private Future<Void> relay(Exchange exchange, RequestBody body, String modelRef) {
        List<ModelView> candidates = router.best(modelRef, Optional.empty(), MOST);
        return new Relayed(exchange, body, modelRef, candidates.iterator()).next();
    }

    /** One request, with its attempts. */
    private final class Relayed {

        private final Exchange exchange;
        private final RequestBody body;
        private final String modelRef;
        private final Iterator<ModelView> candidates;
        private final List<String> tried = new ArrayList<>();
        private int unreachable;

        Relayed(Exchange exchange, RequestBody body, String modelRef, Iterator<ModelView> candidates) {
            this.exchange = exchange;
            this.body = body;
            this.modelRef = modelRef;
            this.candidates = candidates;
        }

        Future<Void> next() {
            if (!candidates.hasNext()) {
                throw allRefused();
            }
            ModelView hive = candidates.next();
            hive.requestBegins();
            Attempt attempt = forwarding.send(exchange, body, hive.url(), Forwarding.PATH);
            Runnable ended = unanswered.add(hive, attempt::cancel);
            Future<Boolean> relayed = attempt.answer().compose(answer -> answered(hive, attempt, answer));
            return relayed.onComplete(unused -> {
                        hive.requestEnds();
                        ended.run();
                    })
                    .transform(done -> done.failed()
                            ? failed(hive, done.cause())
                            : done.result() ? Future.succeededFuture() : next());
        }

        /** Whether the response was forwarded to the client. Its status decides. */
        private Future<Boolean> answered(ModelView hive, Attempt attempt, HttpClientResponse answer) {
            contact.answered(hive.node());
            String worker = answer.getHeader(Forwarding.WORKER_HEADER);
            tried(hive, Integer.toString(answer.statusCode()));
            if (worker == null && isRefusal(answer.statusCode())) {
                attempt.discard(answer);
                return Future.succeededFuture(false);
            }
            return attempt.forward(answer, Map.of(TRIED, String.join(", ", tried)), () -> {})
                    .map(true);
        }

        /** The hive has no free slot, or its last worker of this model was removed since its snapshot. */
        private static boolean isRefusal(int status) {
            return status == 503 || status == 404;
        }

        private Future<Void> failed(ModelView hive, Throwable cause) {
            if (cause instanceof Attempt.NotConnectedException) {
                if (contact.refused(hive.node())) {
                    log.info(
                            "the hive of node {} at {} refuses connections: {}",
                            hive.node(),
                            hive.url(),
                            cause.getMessage());
                }
                unreachable++;
                tried(hive, "unreachable");
                return next();
            }
            log.debug("a request to node {} failed", hive.node(), cause);
            tried(hive, "failed");
            return Future.failedFuture(
                    new Refusal(502, "hive_failed", "node " + hive.node() + " failed before it answered"));
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
            if (!exchange.response().headWritten()) {
                exchange.response().putHeader(TRIED, String.join(", ", tried));
            }
        }
    }
}
