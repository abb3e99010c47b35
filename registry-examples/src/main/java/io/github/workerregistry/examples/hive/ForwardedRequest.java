package io.github.workerregistry.examples.hive;

import io.github.workerregistry.LeaseEnd;
import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.examples.http.Attempt;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.ForeignText;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.RequestBody;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request: waits for a slot, is forwarded to its worker, and the slot is released when the response is complete,
 * the worker fails, or the client disconnects. If the worker is lost before its response has begun, the request is
 * forwarded once more, to another one.
 */
final class ForwardedRequest {

    private static final Logger log = LoggerFactory.getLogger(ForwardedRequest.class);

    private final Slots slots;
    private final Forwarding forwarding;
    private final Exchange exchange;
    private final RequestBody body;
    private final String target;
    private final long deadline;
    private Optional<Refusal> lost = Optional.empty();

    ForwardedRequest(
            Slots slots,
            Forwarding forwarding,
            Duration queueTimeout,
            Exchange exchange,
            RequestBody body,
            String target) {
        this.slots = slots;
        this.forwarding = forwarding;
        this.exchange = exchange;
        this.body = body;
        this.target = target;
        this.deadline = System.nanoTime() + queueTimeout.toNanos();
    }

    void acquire(SlotRequest request) {
        Optional<SlotLease> free = slots.tryAcquire(request);
        if (free.isPresent()) {
            forward(request, free.get());
            return;
        }
        long left = Math.max(0, deadline - System.nanoTime());
        PendingSlot pending =
                slots.acquire(request, Duration.of(left, TimeUnit.NANOSECONDS.toChronoUnit()), exchange::execute);
        exchange.onEnd(pending::cancel);
        pending.lease().whenComplete((lease, failure) -> {
            if (failure != null) {
                exchange.fail(lost.isPresent() ? lost.get() : NoSlot.refusal(failure));
            } else if (exchange.isOver()) {
                lease.close();
            } else {
                forward(request, lease);
            }
        });
    }

    private void forward(SlotRequest request, SlotLease lease) {
        Attempt attempt = forwarding.send(exchange, body, lease.url(), target);
        Map<String, String> header = Map.of(Forwarding.WORKER_HEADER, lease.workerId());
        attempt.answer()
                .compose(answer -> attempt.forward(answer, header, lease::close))
                .onSuccess(done -> lease.close())
                .onFailure(cause -> failed(request, lease, cause));
    }

    private void failed(SlotRequest request, SlotLease lease, Throwable cause) {
        log.debug("a request to worker {} failed: {}", lease.workerId(), ForeignText.sanitised(cause));
        if (exchange.isOver() || cause instanceof Refusal) { // the client's own doing
            lease.close();
            exchange.fail(cause);
            return;
        }
        lease.fail(cause);
        Refusal failed = new Refusal(502, "worker_failed", "worker " + lease.workerId() + " failed before it answered");
        if (exchange.response().headWritten() || lost.isPresent() || !body.isComplete()) {
            exchange.fail(failed);
            return;
        }
        lost = Optional.of(failed);
        lease.whenEnded()
                .thenAccept(end -> exchange.execute(() -> {
                    if (exchange.isOver()) {
                        return;
                    }
                    if (end instanceof LeaseEnd.Lost || cause instanceof Attempt.NotConnectedException) {
                        again(request.excluding(lease.workerId()));
                    } else {
                        exchange.fail(failed);
                    }
                }));
    }

    private void again(SlotRequest request) {
        try {
            acquire(request);
        } catch (RuntimeException e) {
            exchange.fail(lost.orElseThrow());
        }
    }
}
