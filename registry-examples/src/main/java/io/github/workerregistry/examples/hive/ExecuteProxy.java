package io.github.workerregistry.examples.hive;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.AnswerStream;
import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.ForeignText;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.RequestBody;
import io.javalin.http.Context;
import java.util.concurrent.CompletableFuture;
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
        ctx.header(Forwarding.WORKER_HEADER, lease.workerId());
        return forwarding
                .send(ctx, lease.url(), body, new AnswerStream(ctx.res()))
                .handle((answer, failure) -> {
                    lease.close();
                    if (failure != null) {
                        log.debug("a request to worker {} failed", lease.workerId(), ForeignText.sanitised(failure));
                        Forwarding.fail(
                                ctx,
                                new Refusal(
                                        502,
                                        "worker_failed",
                                        "worker " + lease.workerId() + " failed before it answered"));
                    }
                    return null;
                });
    }
}
