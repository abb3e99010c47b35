package io.github.workerregistry.examples.dispatcher;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.LeaseEnd;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerRegistry;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * The {@link Dispatcher} for an event loop: the same, without a thread that waits. Thread-safe.
 *
 * @param <Q> the request
 * @param <A> the answer
 */
public final class AsyncDispatcher<Q, A> {

    private final WorkerRegistry registry;
    private final AsyncBackend<Q, A> backend;
    private final Executor executor;
    private final Duration slotTimeout;
    private final int attempts;

    /**
     * Creates a dispatcher.
     *
     * @param registry the registry of the workers
     * @param backend sends a request to a worker
     * @param executor calls the backend: the event loop
     * @param slotTimeout how long each attempt may wait for a slot; 0 means not at all
     * @param attempts maximum number of times that a request is sent, &ge; 1
     * @throws IllegalArgumentException if {@code attempts} is less than 1
     */
    public AsyncDispatcher(
            WorkerRegistry registry,
            AsyncBackend<Q, A> backend,
            Executor executor,
            Duration slotTimeout,
            int attempts) {
        if (attempts < 1) {
            throw new IllegalArgumentException("attempts must be >= 1, was " + attempts);
        }
        this.registry = requireNonNull(registry, "registry");
        this.backend = requireNonNull(backend, "backend");
        this.executor = requireNonNull(executor, "executor");
        this.slotTimeout = requireNonNull(slotTimeout, "slotTimeout");
        this.attempts = attempts;
    }

    /**
     * Sends a request to a worker of a model, and again to another one if the worker is lost. Does not block.
     *
     * @param modelRef the model
     * @param request the request
     * @return completes with the answer; exceptionally if the worker failed, if the worker of the last attempt was lost
     *     ({@link WorkerLostException}), or if there is no slot, as
     *     {@link io.github.workerregistry.PendingSlot#lease()}
     */
    public CompletionStage<A> dispatch(String modelRef, Q request) {
        return dispatch(SlotRequest.forModel(modelRef), request, attempts);
    }

    private CompletionStage<A> dispatch(SlotRequest wanted, Q request, int attemptsLeft) {
        return registry.withSlot(wanted, slotTimeout, executor, slot -> send(slot, request))
                .exceptionallyCompose(failure -> {
                    if (attemptsLeft > 1 && cause(failure) instanceof WorkerLostException lost) {
                        SlotRequest another = OtherWorker.of(registry, wanted, lost.workerId());
                        return dispatch(another, request, attemptsLeft - 1); // the slot has been released
                    }
                    return CompletableFuture.failedFuture(cause(failure));
                });
    }

    private CompletionStage<A> send(SlotLease slot, Q request) {
        return backend.send(slot, request).exceptionallyCompose(failure -> {
            slot.fail(cause(failure));
            return slot.whenEnded()
                    .thenCompose(end -> CompletableFuture.failedFuture(
                            end instanceof LeaseEnd.Lost
                                    ? new WorkerLostException(slot.workerId(), cause(failure))
                                    : cause(failure)));
        });
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
