package io.github.workerregistry.examples.hive;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Attempt;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.ForeignText;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.RequestBody;
import io.vertx.core.Future;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Acquires a slot for a request, forwards the request to its worker and the answer to the client, and releases the slot
 * when the answer is complete, the worker fails, or the client disconnects.
 */
final class ExecuteProxy {

    private static final Logger log = LoggerFactory.getLogger(ExecuteProxy.class);

    private final WorkerRegistry registry;
    private final Forwarding forwarding;

    ExecuteProxy(WorkerRegistry registry, Forwarding forwarding) {
        this.registry = registry;
        this.forwarding = forwarding;
    }

    void handle(Exchange exchange) {
        RequestBody.json(exchange)
                .compose(body ->
                        forward(exchange, body, Fields.parse(body.bytes()).name("model_ref")))
                .onFailure(exchange::fail);
    }

    private Refusal noSlot(String modelRef) {
        return registry.list().stream().anyMatch(worker -> worker.modelRef().equals(modelRef))
                ? Refusal.later("no_free_slot", "no worker of this model_ref has a free slot now")
                : new Refusal(404, "no_such_model", "no worker serves this model_ref");
    }

    private Future<Void> forward(Exchange exchange, RequestBody body, String modelRef) {
        SlotLease lease = registry.tryAcquire(modelRef).orElseThrow(() -> noSlot(modelRef));
        Attempt attempt = forwarding.send(exchange, body, lease.url());
        return attempt.answer()
                .compose(answer ->
                        attempt.forward(answer, Map.of(Forwarding.WORKER_HEADER, lease.workerId()), lease::close))
                .onComplete(done -> lease.close())
                .recover(failure -> {
                    log.debug("a request to worker {} failed", lease.workerId(), ForeignText.sanitised(failure));
                    return Future.failedFuture(new Refusal(
                            502, "worker_failed", "worker " + lease.workerId() + " failed before it answered"));
                });
    }
}
