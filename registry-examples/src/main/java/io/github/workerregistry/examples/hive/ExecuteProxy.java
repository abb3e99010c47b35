package io.github.workerregistry.examples.hive;

import io.github.workerregistry.LogText;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerRegistry;
import io.javalin.http.Context;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a slot for a request, passes the request to the slot's worker and the answer to the client, and gives the slot
 * back: when the answer is complete, the worker fails, or the client goes away.
 *
 * <p>No thread waits for a worker, so any number of slow answers leaves the rest of the hive as it is.
 */
final class ExecuteProxy {

    private static final Logger log = LoggerFactory.getLogger(ExecuteProxy.class);

    private static final String PATH = "/v1/execute";

    private final WorkerRegistry registry;
    private final HttpClient client;
    private final ScheduledExecutorService scheduler;

    ExecuteProxy(WorkerRegistry registry, HttpClient client, ScheduledExecutorService scheduler) {
        this.registry = registry;
        this.client = client;
        this.scheduler = scheduler;
    }

    void handle(Context ctx) {
        byte[] body = RequestBody.json(ctx);
        String modelRef = Fields.parse(body).name("model_ref");
        ctx.future(() -> {
            SlotLease lease = registry.tryAcquire(modelRef).orElseThrow(() -> noSlot(modelRef));
            try {
                return forward(ctx, body, lease);
            } catch (RuntimeException e) {
                lease.close();
                throw e;
            }
        });
    }

    private Refusal noSlot(String modelRef) {
        return registry.list().stream().anyMatch(worker -> worker.modelRef().equals(modelRef))
                ? Refusal.later("no_free_slot", "no worker of this model_ref has a free slot now")
                : new Refusal(404, "no_such_model", "no worker serves this model_ref");
    }

    private CompletableFuture<?> forward(Context ctx, byte[] body, SlotLease lease) {
        ClientEndPoint connection = ClientEndPoint.of(ctx.req());
        HttpRequest request = HttpRequest.newBuilder(URI.create(lease.url() + PATH))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body))
                .build();
        CompletableFuture<?> exchange = client.sendAsync(request, new AnswerStream(ctx.res()));
        Future<?> watch =
                scheduler.scheduleWithFixedDelay(() -> cancelIfGone(exchange, connection), 1, 1, TimeUnit.SECONDS);
        return exchange.handle((answer, failure) -> {
            watch.cancel(false);
            lease.close();
            if (failure != null) {
                fail(ctx, lease, connection, failure);
            }
            return null;
        });
    }

    private static void cancelIfGone(Future<?> exchange, ClientEndPoint connection) {
        if (connection.hasGone()) {
            exchange.cancel(true);
        }
    }

    private static void fail(Context ctx, SlotLease lease, ClientEndPoint connection, Throwable failure) {
        log.debug("a request to worker {} came to no good end", lease.workerId(), LogText.of(failure));
        if (!ctx.res().isCommitted() && !connection.hasGone()) {
            throw new Refusal(502, "worker_failed", "worker " + lease.workerId() + " failed before it answered");
        }
        connection.close(); // an end in good order would make half an answer look whole
    }
}
