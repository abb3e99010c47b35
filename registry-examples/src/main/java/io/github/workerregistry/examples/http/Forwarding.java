package io.github.workerregistry.examples.http;

import io.vertx.core.http.HttpClient;
import java.time.Duration;

/** Forwards the requests of clients to other servers. */
public final class Forwarding {

    /** The path of requests by model, here and at the other server. */
    public static final String PATH = "/v1/execute";

    /** The response header that names the worker. A response without it is not from a worker. */
    public static final String WORKER_HEADER = "X-Worker";

    /** The header of a forwarded request that lists its intermediaries (RFC 9110, 7.6.3). */
    static final String VIA = "Via";

    static final String US = "1.1 worker-registry";

    private final HttpClient client;
    private final Patience patience;

    /**
     * How long a forwarded request may stand still.
     *
     * @param firstByte until the response begins
     * @param betweenPieces between two pieces of a response, or of a request
     * @param reader until a client that does not read reads on
     */
    public record Patience(Duration firstByte, Duration betweenPieces, Duration reader) {

        /** 10 minutes, 2 minutes, 30 seconds. */
        public static final Patience DEFAULT =
                new Patience(Duration.ofMinutes(10), Duration.ofMinutes(2), Duration.ofSeconds(30));
    }

    /**
     * Creates a forwarder.
     *
     * @param client sends the requests
     * @param patience how long they may stand still
     */
    public Forwarding(HttpClient client, Patience patience) {
        this.client = client;
        this.patience = patience;
    }

    /**
     * Forwards a request. It is cancelled when its client disconnects.
     *
     * @param exchange the request
     * @param body its body
     * @param url the other server, without the path
     * @param target path and query
     * @return the attempt
     */
    public Attempt send(Exchange exchange, RequestBody body, String url, String target) {
        return new Attempt(exchange, body, patience).send(client, url, target);
    }

    /**
     * Whether a request was already forwarded by one of these programs.
     *
     * @param exchange the request
     * @return true if so
     */
    public static boolean hasBeenPassedOn(Exchange exchange) {
        return exchange.request().headers().getAll(VIA).stream().anyMatch(via -> via.contains(US));
    }
}
