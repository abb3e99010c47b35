package io.github.workerregistry.examples.dispatcher;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;

/**
 * Sends requests to workers: acquires a slot, sends the request to its worker, and always releases the slot.
 *
 * <p>The connection of a crashed worker breaks some milliseconds before its exit is detected. So a request without an
 * answer {@linkplain SlotLease#fail fails} its lease: the worker is checked at once, and no slot of it is leased until
 * a check has passed. If the worker was lost, the request is sent again to another worker. A request that fails on a
 * live worker is not sent again: the next worker would fail too. Thread-safe.
 *
 * @param <Q> the request
 * @param <A> the answer
 */
public final class Dispatcher<Q, A> {

    /** An exit is usually detected after 2 to 26 ms; on an overloaded machine after a second. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final WorkerRegistry registry;
    private final Backend<Q, A> backend;
    private final Duration slotTimeout;
    private final int attempts;

    private final LongAdder answered = new LongAdder();
    private final LongAdder retried = new LongAdder();
    private final LongAdder failed = new LongAdder();

    /**
     * Creates a dispatcher.
     *
     * @param registry the registry of the workers
     * @param backend sends a request to a worker
     * @param slotTimeout how long each attempt may wait for a slot; 0 means not at all
     * @param attempts maximum number of times that a request is sent, &ge; 1
     * @throws IllegalArgumentException if {@code attempts} is less than 1
     */
    public Dispatcher(WorkerRegistry registry, Backend<Q, A> backend, Duration slotTimeout, int attempts) {
        if (attempts < 1) {
            throw new IllegalArgumentException("attempts must be >= 1, was " + attempts);
        }
        this.registry = requireNonNull(registry, "registry");
        this.backend = requireNonNull(backend, "backend");
        this.slotTimeout = requireNonNull(slotTimeout, "slotTimeout");
        this.attempts = attempts;
    }

    /**
     * Sends a request to a worker of a model, and again to another one if the worker is lost. Blocks; do not call it on
     * a thread of the supervisor's scheduler.
     *
     * @param modelRef the model
     * @param request the request
     * @return the answer
     * @throws IOException if the worker failed, or the worker of the last attempt was lost
     * @throws io.github.workerregistry.SlotTimeoutException if no slot became free in time
     * @throws io.github.workerregistry.SlotQueueFullException if the wait queue is full
     * @throws io.github.workerregistry.NoWorkerException if no worker can serve the model
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public A dispatch(String modelRef, Q request) throws IOException, InterruptedException {
        boolean done = false;
        try {
            A answer = dispatch(SlotRequest.forModel(modelRef), request, attempts);
            done = true;
            return answer;
        } finally {
            (done ? answered : failed).increment();
        }
    }

    private A dispatch(SlotRequest wanted, Q request, int attemptsLeft) throws IOException, InterruptedException {
        try (SlotLease slot = registry.acquire(wanted, slotTimeout)) {
            return send(slot, request);
        } catch (WorkerLostException e) {
            if (attemptsLeft <= 1) {
                throw e;
            }
            retried.increment();
            SlotRequest another = OtherWorker.of(registry, wanted, e.workerId());
            return dispatch(another, request, attemptsLeft - 1); // the slot has been released
        }
    }

    private A send(SlotLease slot, Q request) throws IOException {
        try {
            return backend.send(slot, request);
        } catch (IOException e) {
            slot.fail(e);
            throw slot.lostWithin(PATIENCE) ? new WorkerLostException(slot.workerId(), e) : e;
        }
    }

    /**
     * The outcomes of the requests so far.
     *
     * @return the counts
     */
    public Counts counts() {
        return new Counts(answered.sum(), retried.sum(), failed.sum());
    }

    /**
     * Outcomes of requests.
     *
     * @param answered requests that were answered, at any attempt
     * @param retried number of repeated attempts
     * @param failed requests that were not answered
     */
    public record Counts(long answered, long retried, long failed) {}
}
