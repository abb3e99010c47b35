package io.github.workerregistry.examples.dispatcher;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;

/**
 * Sends requests to workers: takes a slot, asks the slot's worker, and releases the slot, whatever happens.
 *
 * <p>A connection that breaks tells that its worker is gone some milliseconds before the exit is known. So a request
 * without an answer {@linkplain SlotLease#fail fails} its lease: the worker is checked at once, and gets no other
 * request until it has passed. If it was lost, the request is sent again, to another worker. A request that fails on a
 * worker that lives is not: the next worker would fail at it too. Thread-safe.
 *
 * @param <Q> the request
 * @param <A> the answer
 */
public final class Dispatcher<Q, A> {

    /** An exit is known after 2 to 26 ms, mostly; on an overloaded machine after a second. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final WorkerRegistry registry;
    private final Backend<Q, A> backend;
    private final Duration slotTimeout;
    private final int attempts;

    private final LongAdder answered = new LongAdder();
    private final LongAdder retried = new LongAdder();
    private final LongAdder failed = new LongAdder();

    /**
     * A dispatcher.
     *
     * @param registry where the workers are
     * @param backend how one of them is asked
     * @param slotTimeout how long a request may wait for a slot, each time; 0 for not at all
     * @param attempts how often a request is sent at the most, &ge; 1
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
     * Sends a request to a worker of a model, and again, to another one, if the worker is lost. Blocks; not for a
     * thread on which the supervisor runs.
     *
     * @param modelRef the model
     * @param request the request
     * @return the answer
     * @throws IOException if the worker failed at the request, or the last one that was tried was lost
     * @throws io.github.workerregistry.SlotTimeoutException if no slot became free in time
     * @throws io.github.workerregistry.SlotQueueFullException if too many wait already
     * @throws io.github.workerregistry.NoSuchModelException if there is no worker to wait for
     * @throws InterruptedException if the thread was interrupted while it waited
     */
    public A dispatch(String modelRef, Q request) throws IOException, InterruptedException {
        boolean done = false;
        try {
            A answer = dispatch(modelRef, request, attempts);
            done = true;
            return answer;
        } finally {
            (done ? answered : failed).increment();
        }
    }

    private A dispatch(String modelRef, Q request, int attemptsLeft) throws IOException, InterruptedException {
        try (SlotLease slot = registry.acquire(modelRef, slotTimeout)) {
            return send(slot, request);
        } catch (WorkerLostException e) {
            if (attemptsLeft <= 1) {
                throw e;
            }
            retried.increment();
            return dispatch(modelRef, request, attemptsLeft - 1); // the slot has been released
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
     * What became of the requests so far.
     *
     * @return the counts
     */
    public Counts counts() {
        return new Counts(answered.sum(), retried.sum(), failed.sum());
    }

    /**
     * What became of requests.
     *
     * @param answered requests that were answered, at whichever attempt
     * @param retried how often a request was sent again
     * @param failed requests that were not answered
     */
    public record Counts(long answered, long retried, long failed) {}
}
