package io.github.workerregistry.examples.hive;

import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.ModelName;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.RequestBody;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerRequest;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;

/**
 * Every path but the hive's own: a worker of the model that the body names gets the request as it stands. The path
 * {@code /upstream/{model}/…} names the model itself, for requests without a body or with another one.
 */
final class ModelRoute {

    private static final String UPSTREAM = "/upstream/";

    private static final Set<String> NO_BODY = Set.of("GET", "HEAD", "OPTIONS", "DELETE", "TRACE");

    private final Slots slots;
    private final Forwarding forwarding;
    private final Duration queueTimeout;

    ModelRoute(Slots slots, Forwarding forwarding, Duration queueTimeout) {
        this.slots = slots;
        this.forwarding = forwarding;
        this.queueTimeout = queueTimeout;
    }

    void handle(Exchange exchange) {
        HttpServerRequest request = exchange.request();
        String query = request.query() == null ? "" : "?" + request.query();
        if (request.path().startsWith(UPSTREAM)) {
            String[] parts = request.path().substring(UPSTREAM.length()).split("/", 2);
            String model = Fields.requireName(decoded(parts[0]), "model");
            forward(
                    exchange,
                    RequestBody.forwarded(exchange),
                    model,
                    "/" + (parts.length == 2 ? parts[1] : "") + query);
        } else if (NO_BODY.contains(request.method().name())) {
            exchange.fail(new Refusal(
                    404,
                    "not_found",
                    "there is nothing at this path; a worker's path" + " without a body is behind /upstream/{model}"));
        } else {
            Future<RequestBody> body = RequestBody.forwardedJson(exchange);
            body.map(ModelName::of)
                    .onSuccess(model -> forward(exchange, body, model, request.path() + query))
                    .onFailure(exchange::fail);
        }
    }

    private void forward(Exchange exchange, Future<RequestBody> body, String model, String target) {
        body.map(all -> {
                    new ForwardedRequest(slots, forwarding, queueTimeout, exchange, all, target)
                            .acquire(SlotRequest.forModel(model));
                    return all;
                })
                .onFailure(exchange::fail);
    }

    private static String decoded(String part) {
        try {
            return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new Refusal(400, "bad_request", "the path is not valid HTTP");
        }
    }
}
